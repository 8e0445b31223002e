import { Clock, Deferred, Effect, Redacted, type Scope } from "effect"
import pg from "pg"
import { ScraperStartError } from "../../ScraperConfig.ts"
import { migrateState } from "./migrateState.ts"
import { call, type PgFailure } from "./PgCall.ts"

/** Any number, the same for every server: with it they find out whether another is there. */
const lockId = 7_305_419_233_881

/** How often a held lock is tried again, and a lost connection opened again. */
const tryEveryMs = 250

/** How long a server that starts waits for one that was just killed to be taken off the database. */
const startPatienceMs = 5000

/** What a server has that holds the state. */
export interface StateLease {
  /** Raised by every server that takes the state over; what is written under an old one is refused. */
  readonly epoch: string
  /** Whether another server has taken the state over: it stays so. */
  readonly isLost: () => boolean
}

/**
 * Takes the state of a database for this server alone, and brings its schema up to date. The lock belongs to a session. A
 * session that ends unexpectedly is opened again; a server that took the state over meanwhile keeps it.
 */
export const acquireStateLease = Effect.fnUntraced(function* (
  url: Redacted.Redacted<string>,
  timeoutMs: number
): Effect.fn.Return<StateLease, ScraperStartError, Scope.Scope> {
  let client: pg.Client | undefined
  yield* Effect.addFinalizer(() => Effect.ignore(call("close", async () => client?.end())))

  /** Opens a session that has the lock; answers whether it has it, and what tells of the session's end. */
  const open = Effect.gen(function* () {
    const ended = Deferred.makeUnsafe<void>()
    const next = yield* call(
      "connect",
      async () =>
        new pg.Client({
          connectionString: Redacted.value(url),
          connectionTimeoutMillis: timeoutMs,
          query_timeout: timeoutMs,
          keepAlive: true,
          application_name: "sluice-scraper"
        })
    )
    next.on("error", () => undefined)
    next.on("end", () => Deferred.doneUnsafe(ended, Effect.void))
    const query = (text: string, values: ReadonlyArray<unknown> = []) =>
      call("hold", async () => (await next.query<Record<string, string>>(text, [...values])).rows)
    return yield* Effect.gen(function* () {
      yield* call("connect", () => next.connect())
      const [row] = yield* query("SELECT pg_try_advisory_lock($1)::text AS got", [lockId])
      if (row?.got !== "true") {
        yield* Effect.ignore(call("close", () => next.end()))
        return undefined
      }
      client = next
      return { query, ended }
    }).pipe(Effect.onError(() => Effect.ignore(call("close", () => next.end()))))
  })

  const startedAt = yield* Clock.currentTimeMillis
  let session = yield* Effect.mapError(open, unusable)
  while (session === undefined) {
    if ((yield* Clock.currentTimeMillis) - startedAt > startPatienceMs) {
      return yield* new ScraperStartError({ message: "The state database is in use by another server", cause: null })
    }
    yield* Effect.sleep(tryEveryMs)
    session = yield* Effect.mapError(open, unusable)
  }
  yield* Effect.catchTag(migrateState(session.query), "PgFailure", (failure) => Effect.fail(unusable(failure)))
  const [holder] = yield* Effect.mapError(
    session.query("UPDATE sluice_scraper.holder SET epoch = epoch + 1 RETURNING epoch::text"),
    unusable
  )
  const epoch = holder?.epoch ?? ""

  let lost = false
  const keep = Effect.gen(function* () {
    while (!lost) {
      if (session !== undefined) yield* Deferred.await(session.ended)
      session = undefined
      yield* Effect.sleep(tryEveryMs)
      const next = yield* Effect.catch(open, () => Effect.undefined)
      if (next === undefined) continue
      // A server that had the lock in between has raised the epoch.
      const [now] = yield* Effect.orElseSucceed(next.query("SELECT epoch::text FROM sluice_scraper.holder"), () => [])
      if (now === undefined) continue
      session = next
      lost = now.epoch !== epoch
    }
    yield* Effect.logError("Another server has taken over the state database: this one cannot write any more")
  })
  yield* Effect.forkScoped(keep)
  return { epoch, isLost: () => lost }
})

const unusable = ({ code, operation }: PgFailure) =>
  new ScraperStartError({
    message: `The state database cannot be used: ${operation} failed (${code})`,
    cause: null
  })
