import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { Postgres } from "@sluice/sink-postgres"
import { createDatabase, type PostgresServer, Simulator } from "@sluice/testkit"
import type { S3Server } from "@sluice/testkit/s3"
import { Effect, Redacted, type Scope } from "effect"
import { directory } from "../../../apps/runner/test/Cli.ts"
import { bundles } from "../../setup/bundles.ts"
import { readBooks, tornIn, untrue } from "../Books.ts"
import type { Errand } from "../fanout/Errand.ts"
import { openLake } from "../fanout/Lake.ts"
import { isRecurring, pointsOfReplay } from "../fanout/points.ts"
import { live } from "../Life.ts"
import { judge } from "../oracle.ts"
import { workOf } from "../Work.ts"
import { type Aftermath, again, type Death, reachedBy, type Target } from "./CommandKill.ts"
import { leasesEnded, othersEnded } from "./databaseContents.ts"

const pipeline = "replayed"

/** Segments of a run, and parts of a dataset at least. */
const segments = 4

/** A replay of a run from its vault, into tables, a ledger and a lake that know nothing: kills of it lose and double nothing. */
export const replayFromVault = Effect.fnUntraced(function* (
  server: PostgresServer,
  s3: S3Server,
  where: "directory" | "s3"
) {
  const work = workOf("crawl", 2, { pages: 15 * segments })
  const simulator = yield* Simulator.make(work.simulator)
  const path = yield* directory
  const empty = yield* createDatabase(server)
  yield* Effect.scoped(Effect.flatMap(Postgres.open({ url: empty }), (database) => Postgres.migrate(database))).pipe(
    Effect.orDie
  )
  const copy = createDatabase(server, `TEMPLATE ${new URL(empty).pathname.slice(1)}`)
  const shape = { where, format: "jsonl", mode: "append" } as const
  const place = Effect.all({ url: copy, lake: openLake(s3, pipeline, shape) })
  type Place = Effect.Success<typeof place>
  const carryOut = ({ lake, url }: Place, task: "run" | "replay", death?: Death) => {
    const errand = {
      task,
      pipeline,
      source: work.source,
      api: { url: simulator.baseUrl, key: Redacted.value(simulator.apiKey) },
      postgres: { url, mode: "append" },
      lake: lake.settings,
      kept: { vault: { path } },
      segmentRecords: 15,
      leaseMs: 60,
      ...(death === undefined ? {} : { death: { point: death.phase, nth: death.nth, signal: "SIGKILL" } })
    } satisfies Omit<typeof Errand.Encoded, "death">
    return live({ ERRAND: JSON.stringify(errand) }, undefined, bundles.fanoutChild)
  }
  const first = yield* Effect.scoped(Effect.flatMap(place, (home) => carryOut(home, "run")))
  if (first.code !== 0) return yield* Effect.die(first.stderr)
  const asked = simulator.charges.requests.length

  const kill = Effect.fnUntraced(function* (death: Death): Effect.fn.Return<Aftermath, never, Scope.Scope> {
    const other = yield* place
    const { lake, url } = other
    const database = yield* Effect.orDie(Postgres.open({ url }))
    const books = Effect.orDie(Effect.andThen(othersEnded(database), readBooks(database, pipeline)))
    const reached = reachedBy(yield* carryOut(other, "replay", death))
    const torn = yield* books
    const shown = yield* lake.view
    yield* Effect.orDie(leasesEnded(database))
    const cwd = yield* directory
    const sinks = [{ postgres: { url: "$DATABASE_URL", mode: "append" } }, lake.settings]
    const file = { name: pipeline, source: work.source, sinks, vault: { directory: { path } } }
    writeFileSync(join(cwd, "sluice.yaml"), JSON.stringify(file))
    const replay = again(["replay", "--json"], { cwd, env: { DATABASE_URL: url } })
    const second = yield* replay
    const third = yield* replay
    const whole = yield* lake.view
    const wanted = [...work.pages].sort()
    return {
      reached,
      wrong: [
        // The summary of a job is there with the first commit of either sink.
        ...tornIn({ ...torn, standing: { ...torn.standing, token_summaries: 0 } }),
        ...second.wrong,
        ...third.wrong,
        ...judge(work, yield* books, simulator.charges).wrong,
        ...untrue([
          [
            shown.pages.length === 0 || isDeepStrictEqual(shown.pages, wanted),
            `the lake showed ${shown.pages.length} pages`
          ],
          [isDeepStrictEqual(whole.pages, wanted), `the lake shows ${whole.pages.length} pages`],
          [whole.tokens === work.tokens, `the lake counts ${whole.tokens} tokens`],
          [third.stdout.includes(`"unchanged"`), `a third one said: ${third.stdout}`],
          [
            simulator.charges.requests.length === asked,
            `${simulator.charges.requests.length - asked} requests were made`
          ]
        ])
      ]
    }
  })
  const phases = new Map(pointsOfReplay.map((point) => [point, isRecurring(point) ? segments : 1]))
  const target: Target = { phases, kill: (death) => Effect.scoped(kill(death)) }
  return target
})
