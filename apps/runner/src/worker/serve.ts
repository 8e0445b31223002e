import type { Ledger } from "@sluice/core"
import { isKnownDead } from "@sluice/core/config"
import { type DatabaseError, Postgres, PostgresLedger, type ScheduledState, type TickLog } from "@sluice/sink-postgres"
import { Clock, Effect, Exit, FiberMap, Option, Random, Result } from "effect"
import { databaseCliError } from "../cliErrors.ts"
import { decideTicks } from "../schedule/decideTicks.ts"
import { nextTicks } from "../schedule/ticksOf.ts"
import { serveHealth } from "./healthServer.ts"
import { planAction } from "./planAction.ts"
import { retryPause } from "./retryPause.ts"
import { type RunAction, runAttempt } from "./runAttempt.ts"
import type { ServedPipeline } from "./ServedPipeline.ts"
import { makeSharedScrapers } from "./sharedScrapers.ts"
import { attemptEnded, makeWorkerHealth, ticksDecided, type WorkerHealth } from "./WorkerHealth.ts"
import { waitForOthers } from "./waitForOthers.ts"

/** How a worker works. Times are in milliseconds. */
export interface WorkerOptions {
  /** The most runs at once. */
  readonly concurrency: number
  /** How often it looks for work, on average. */
  readonly pollMs: number
  /** How long a run of a worker that died, or was cut off, waits for another one. Renewed three times as often. */
  readonly leaseMs: number
  /** Where probes and metrics are served; nowhere when absent. */
  readonly health?: { readonly host: string; readonly port: number }
}

/** The longest pause between two looks at a database that cannot be reached, in milliseconds. */
const longestPauseMs = 30_000

/** Pipelines whose runs and ticks are in one database. */
interface Group {
  readonly log: TickLog
  readonly ledger: Ledger
  readonly pipelines: ReadonlyMap<string, ServedPipeline>
}

/**
 * Serves schedules until it is interrupted. Any number of workers may serve the same pipelines: the database decides ticks once, the
 * ledger lets one of them begin a run, and a run whose worker died is resumed by another one as soon as its lease has passed. When it is
 * interrupted it stops reading, loads what was read, and gives its runs up, so that another worker can resume them at once.
 */
export const serve = Effect.fnUntraced(function* (served: ReadonlyArray<ServedPipeline>, options: WorkerOptions) {
  const groups = yield* Effect.forEach(
    Map.groupBy(served, ({ databaseName }) => databaseName).values(),
    Effect.fnUntraced(function* (members) {
      const database = yield* Postgres.open(members[0]!.database).pipe(Effect.mapError(databaseCliError))
      yield* Postgres.migrate(database).pipe(Effect.mapError(databaseCliError))
      const group: Group = {
        log: Postgres.tickLog(database),
        ledger: PostgresLedger.make(database),
        pipelines: new Map(members.map((member) => [member.name, member]))
      }
      return group
    })
  )
  const health = makeWorkerHealth(groups.length)
  if (options.health !== undefined) {
    const address = yield* serveHealth(health, options.health)
    yield* Effect.logInfo(`probes and metrics are at ${address}`)
  }
  const scraperOf = yield* makeSharedScrapers
  // Declared after all that its fibers use: they end first.
  const fibers = yield* FiberMap.make<string>()
  yield* Effect.logInfo(
    `serving ${served.length} pipelines of ${groups.length} databases, ${options.concurrency} runs at once`
  )
  yield* Effect.forEach(groups, (group, at) => serveGroup(group, { ...options, fibers, scraperOf, health, at }), {
    concurrency: "unbounded",
    discard: true
  })
})

interface Serving extends Omit<WorkerOptions, "health"> {
  readonly fibers: FiberMap.FiberMap<string>
  readonly scraperOf: Effect.Success<typeof makeSharedScrapers>
  readonly health: WorkerHealth
  /** The number of the database: names of pipelines are unique within one. */
  readonly at: number
}

const serveGroup = Effect.fnUntraced(function* (group: Group, serving: Serving) {
  const memory: Memory = { nextAt: new Map(), failures: new Map(), firstSeen: new Map(), looks: 0 }
  let unreachable = 0
  while (true) {
    const looked = yield* Effect.result(look(group, serving, memory))
    const askedAt = yield* Clock.currentTimeMillis
    serving.health.databases.set(serving.at, { askedAt, hasAnswered: Result.isSuccess(looked) })
    serving.health.running = yield* FiberMap.size(serving.fibers)
    if (Result.isFailure(looked)) {
      unreachable++
      yield* Effect.logWarning(`the database of schedules does not answer: ${looked.failure.message}`)
    } else unreachable = 0
    const pause = Math.min(longestPauseMs, serving.pollMs * 2 ** Math.min(unreachable, 10))
    // Workers that were started together do not ask together.
    yield* Effect.sleep(pause * (yield* Random.nextBetween(0.75, 1.25)))
  }
})

interface Memory {
  /** The next tick of each pipeline, by the last state that was read. */
  readonly nextAt: Map<string, number>
  readonly failures: Map<string, { readonly count: number; readonly until: number }>
  /** When this worker first saw that the run of a pipeline is to be begun or taken over. */
  readonly firstSeen: Map<string, { readonly runId: string; readonly at: number; readonly isFirstLook: boolean }>
  /** How often it has looked. */
  looks: number
}

/** One look at the database: decides ticks that have become due, and starts what is to be done. */
const look = Effect.fnUntraced(function* (group: Group, serving: Serving, memory: Memory) {
  const names = [...group.pipelines.keys()]
  memory.looks++
  const states = yield* group.log.states(names)
  const decided = yield* Effect.filter(states, (state) => decide(group, state, memory))
  const current = decided.length === 0 ? states : yield* group.log.states(names)
  const byTick = [...current].sort((a, b) => (a.next?.dueAt ?? 0) - (b.next?.dueAt ?? 0))
  for (const state of byTick) yield* act(group, serving, memory, state)
  serving.health.oldestDueAt = byTick.find(({ next }) => next !== undefined)?.next?.dueAt ?? null
})

/** Decides the ticks of a pipeline where one has become due. Answers whether it did. */
const decide = Effect.fnUntraced(function* (
  { log, pipelines }: Group,
  { decidedUntil, now, pipeline }: ScheduledState,
  { nextAt }: Memory
): Effect.fn.Return<boolean, DatabaseError> {
  const { schedule } = pipelines.get(pipeline)!
  let next = nextAt.get(pipeline)
  if (next === undefined || next <= decidedUntil) {
    next = nextTicks(schedule, decidedUntil, 1)[0] ?? Number.POSITIVE_INFINITY
    nextAt.set(pipeline, next)
  }
  if (next > now) return false
  const ticks = yield* log.decide(pipeline, (since, until) => decideTicks(pipeline, schedule, since, until))
  for (const [became, of] of Map.groupBy(ticks, ({ state }) => state)) yield* ticksDecided(became, of.length)
  const missed = ticks.filter(({ state }) => state === "missed")
  if (missed.length > 0) {
    yield* Effect.logWarning(
      `pipeline ${pipeline}: ${missed.length} ticks were missed, the last at ${new Date(missed.at(-1)!.dueAt).toISOString()}`
    )
  }
  return true
})

/** Does what a pipeline's state asks for, where this worker has room. */
const act = Effect.fnUntraced(function* (group: Group, serving: Serving, memory: Memory, state: ScheduledState) {
  const { pipeline } = state
  const served = group.pipelines.get(pipeline)!
  const key = `${serving.at} ${pipeline}`
  const isOurs = FiberMap.hasUnsafe(serving.fibers, key)
  const holder = state.open?.holder ?? null
  const isHolderDead = holder !== null && !isOurs && (yield* isKnownDead(holder))
  const action = planAction(state, served.schedule, { isOurs, isHolderDead })
  if (action._tag === "Wait") return
  if (action._tag === "Skip") {
    if (yield* group.log.skip(pipeline, action.dueAt)) {
      yield* ticksDecided("skipped", 1)
      yield* Effect.logInfo(
        `pipeline ${pipeline}: the tick of ${new Date(action.dueAt).toISOString()} is skipped, since run ${state.open?.runId} has not ended`
      )
    }
    return
  }
  if (isOurs ? action._tag !== "Cancel" : !(yield* hasRoom(serving, memory, state, action))) return
  const attempt = Effect.gen(function* () {
    const scraper = yield* serving.scraperOf(served.loaded.machine)
    return yield* runAttempt(served, action, {
      scraper,
      leaseMs: serving.leaseMs,
      ...(Option.isSome(served.loaded.ledger) ? { ledger: group.ledger } : {})
    })
  }).pipe(
    Effect.scoped,
    Effect.tap(({ exitCode }) =>
      Effect.andThen(attemptEnded(action._tag, exitCode), Effect.ignore(group.log.recordBegun(pipeline)))
    ),
    Effect.exit,
    Effect.flatMap((exit) => remember(memory, pipeline, exit))
  )
  // What it replaces is interrupted, and gives its run up first.
  yield* FiberMap.run(serving.fibers, key, attempt)
})

/** Whether this worker begins or takes over a run now: it has room, the pipeline does not rest, and emptier workers had their turn. */
const hasRoom = Effect.fnUntraced(function* (
  { concurrency, fibers }: Serving,
  { failures, firstSeen, looks }: Memory,
  { open, pipeline }: ScheduledState,
  { _tag, runId }: RunAction
) {
  const now = yield* Clock.currentTimeMillis
  const known = firstSeen.get(pipeline)
  const seen = known?.runId === runId ? known : { runId, at: now, isFirstLook: looks === 1 }
  firstSeen.set(pipeline, seen)
  const running = yield* FiberMap.size(fibers)
  const resting = failures.get(pipeline)
  if (running >= concurrency || (resting !== undefined && resting.until > now)) return false
  return (
    now - seen.at >=
    waitForOthers(running, _tag === "Begin" ? "begin" : open?.holder === null ? "resume" : "takeOver", seen.isFirstLook)
  )
})

/** Remembers how long a pipeline rests: after an attempt that failed, longer each time. */
const remember = Effect.fnUntraced(function* (
  { failures }: Memory,
  pipeline: string,
  exit: Exit.Exit<{ readonly exitCode: number | "outrun" }, { readonly message: string }>
) {
  if (Exit.hasInterrupts(exit)) return
  if (Exit.isFailure(exit)) yield* Effect.logError(`pipeline ${pipeline}: the attempt failed`, exit.cause)
  const exitCode = Exit.isSuccess(exit) ? exit.value.exitCode : 1
  if (exitCode !== 1) return void failures.delete(pipeline)
  const count = (failures.get(pipeline)?.count ?? 0) + 1
  failures.set(pipeline, { count, until: (yield* Clock.currentTimeMillis) + retryPause(count) })
})
