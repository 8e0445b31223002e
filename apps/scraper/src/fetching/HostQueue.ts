import { Clock, Context, Effect, Exit, Layer, Option, Semaphore } from "effect"
import { finalFailure, type PageFailure } from "../net/PageFailure.ts"
import { ServerSettings } from "../ScraperConfig.ts"
import { HostPace } from "./HostPace.ts"

/**
 * Politeness: how many requests a host gets at once and how far apart they start, which follows how it answers, and how
 * many requests are open over all hosts. Waiting for a host holds no global permit, so one slow host does not stop the
 * others.
 */
export class HostQueue extends Context.Service<
  HostQueue,
  {
    /**
     * Runs a request to `host` in its turn; it is sent at least `delayMs` before the next one to that host, and says when it
     * is, as that may be later than it was begun. Fails with `HOST_PAUSED`, at once or when its turn has come, while the
     * host is paused.
     */
    readonly run: <A, R>(
      host: string,
      delayMs: number,
      request: (sent: () => void) => Effect.Effect<A, PageFailure, R>
    ) => Effect.Effect<A, PageFailure, R>
    /** How many hosts are remembered now. */
    readonly known: Effect.Effect<number>
    /** How many of them are paused. */
    readonly paused: Effect.Effect<number>
  }
>()("@sluice/scraper/fetching/HostQueue") {
  static readonly layer: Layer.Layer<HostQueue, never, ServerSettings> = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const clock = yield* Clock.Clock
      const open = yield* Semaphore.make(settings.concurrency)
      /** The one that was used last is the last. */
      const hosts = new Map<string, Host>()

      const forget = (now: number) => {
        let looks = 0
        for (const [name, host] of hosts) {
          if (hosts.size < settings.maxHosts || looks++ >= looksPerHost) return
          if (host.users === 0 && earliestOf(host) <= now && host.pace.pausedAt(now) === undefined) hosts.delete(name)
        }
      }
      const enter = (name: string) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const known = hosts.get(name)
          if (known === undefined) forget(now)
          const host = known ?? {
            turns: Semaphore.makeUnsafe(settings.hostConcurrency),
            starting: Semaphore.makeUnsafe(1),
            pace: new HostPace(settings),
            lastStart: Number.NEGATIVE_INFINITY,
            delayMs: 0,
            users: 0
          }
          hosts.delete(name)
          hosts.set(name, host)
          host.users++
          return host
        })

      const unlessPaused = Effect.fnUntraced(function* (host: Host): Effect.fn.Return<number, PageFailure> {
        const now = yield* Clock.currentTimeMillis
        const end = host.pace.pausedAt(now)
        if (end === undefined) return now
        const seconds = Math.ceil((end - now) / 1000)
        return yield* finalFailure(
          "HOST_PAUSED",
          `The host did not answer, or asked to be left alone, for ${seconds} s`
        )
      })

      /** One request of a host at a time waits for its time, so that each is counted from when the last really started. */
      const start = Effect.fnUntraced(function* (host: Host, delayMs: number): Effect.fn.Return<number, PageFailure> {
        for (let now = yield* unlessPaused(host); ; now = yield* unlessPaused(host)) {
          const earliest = earliestOf(host)
          if (earliest <= now) break
          yield* Effect.sleep(earliest - now)
        }
        yield* open.take(1)
        const now = yield* Clock.currentTimeMillis
        host.lastStart = now
        host.delayMs = delayMs
        return now
      })

      const sent = (host: Host) => {
        host.lastStart = clock.currentTimeMillisUnsafe()
      }

      const observe = <A>(host: Host, startedAt: number, exit: Exit.Exit<A, PageFailure>) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          if (Exit.isSuccess(exit)) return host.pace.answered(now - startedAt)
          const failure = Exit.findErrorOption(exit)
          if (Option.isSome(failure)) host.pace.failed(failure.value, now - startedAt, now)
        })

      return HostQueue.of({
        run: (name, delayMs, request) =>
          Effect.acquireUseRelease(
            enter(name),
            (host) =>
              host.turns.withPermits(1)(
                Effect.uninterruptibleMask((restore) =>
                  Effect.flatMap(restore(host.starting.withPermits(1)(start(host, delayMs))), (startedAt) =>
                    restore(request(() => sent(host))).pipe(
                      Effect.onExit((exit) => observe(host, startedAt, exit)),
                      Effect.ensuring(open.release(1))
                    )
                  )
                )
              ),
            (host) => Effect.sync(() => void host.users--)
          ),
        known: Effect.sync(() => hosts.size),
        paused: Effect.map(
          Clock.currentTimeMillis,
          (now) => [...hosts.values()].filter(({ pace }) => pace.pausedAt(now) !== undefined).length
        )
      })
    })
  )
}

/** How many hosts are looked at for one that can be forgotten, each time a new one comes. */
const looksPerHost = 64

/** When the next request to a host may start. */
const earliestOf = ({ delayMs, lastStart, pace }: Host): number => pace.earliest(lastStart + pace.interval(delayMs))

interface Host {
  readonly turns: Semaphore.Semaphore
  readonly starting: Semaphore.Semaphore
  readonly pace: HostPace
  lastStart: number
  /** The least time from then to the next start, as the request asked for that started then. */
  delayMs: number
  users: number
}
