import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { Crawl, Pipeline } from "@sluice/core"
import { Postgres } from "@sluice/sink-postgres"
import { crawlHistory, createDatabase, makeSite, type PostgresServer } from "@sluice/testkit"
import { Effect, type Scope } from "effect"
import { directory } from "../../../apps/runner/test/Cli.ts"
import { atOnce, simulated } from "../../core/simulated.ts"
import { bundles } from "../../setup/bundles.ts"
import { readBooks, untrue } from "../Books.ts"
import { live } from "../Life.ts"
import { type Aftermath, again, type Death, reachedBy, type Target } from "./CommandKill.ts"
import { othersEnded } from "./databaseContents.ts"

/** Modes whose dead letters are replayed. */
export const modes = ["append", "merge", "replace", "history"] as const

const pipeline = "dead-letters"
const pages = 330

/** A pipeline whose run has left most of its pages as dead letters: more than one transaction of a replay takes. */
const leaveDeadLetters = Effect.fnUntraced(function* (url: string, mode: (typeof modes)[number]) {
  const site = makeSite({ pages, seed: 5, bodyBytes: 100 })
  const database = yield* Postgres.open({ url })
  yield* Postgres.migrate(database)
  yield* database.query("ALTER TABLE pages ADD CONSTRAINT few CHECK (url !~ '[04-9]$')")
  const api = yield* simulated({ site, crawl: () => crawlHistory(site, { perPoll: 150 }) })
  const { receipt } = yield* Pipeline.execute(
    Pipeline.make({
      name: pipeline,
      source: Crawl.make({ url: site.url }),
      sinks: [Postgres.sink({ url, mode })],
      quarantine: "off"
    }),
    { reader: atOnce }
  ).pipe(Effect.provide(api.layer))
  yield* database.query("ALTER TABLE pages DROP CONSTRAINT few")
  const [sink] = receipt.sinks
  if (receipt.status !== "completed" || sink === undefined) return yield* Effect.die(receipt.reason)
  const links = new Map(site.pages.slice(0, pages).map((page) => [page.url, site.content(page.url).links.length]))
  return { links, deadLetters: sink.dead_letters, posts: api.simulator.charges.received("POST") }
}, Effect.scoped)

/** A replay of the dead letters of a run: kills of it load each record once or leave its dead letter open. */
export const replayOfDeadLetters = Effect.fnUntraced(function* (server: PostgresServer, mode: (typeof modes)[number]) {
  const template = yield* createDatabase(server)
  const made = yield* Effect.orDie(leaveDeadLetters(template, mode))
  const copy = createDatabase(server, `TEMPLATE ${new URL(template).pathname.slice(1)}`)
  const execute = (url: string, death?: Death) => {
    const order = { task: { command: "dlq replay", tables: { url } }, ...(death === undefined ? {} : { death }) }
    return live({ ORDER: JSON.stringify(order) }, undefined, bundles.commandChild)
  }
  const { stderr, stdout } = yield* Effect.scoped(Effect.flatMap(copy, (url) => execute(url)))
  if (stdout === "") return yield* Effect.die(stderr)
  const met: Record<string, number> = JSON.parse(stdout)

  const kill = Effect.fnUntraced(function* (death: Death): Effect.fn.Return<Aftermath, never, Scope.Scope> {
    const url = yield* copy
    const database = yield* Effect.orDie(Postgres.open({ url }))
    const books = Effect.orDie(Effect.andThen(othersEnded(database), readBooks(database, pipeline)))
    const open = Effect.orDie(
      Effect.map(database.query("SELECT count(*) AS open FROM dead_letters WHERE replayed_at IS NULL"), ([row]) =>
        Number(row?.open)
      )
    )
    const reached = reachedBy(yield* execute(url, death))
    const torn = yield* books
    const left = yield* open
    const cwd = yield* directory
    const sinks = [{ postgres: { url: "$DATABASE_URL", mode } }]
    const source = { crawl: { url: "https://site.test/" } }
    writeFileSync(join(cwd, "sluice.yaml"), JSON.stringify({ name: pipeline, source, sinks }))
    const replay = again(["dlq", "replay", "--all", "--json"], { cwd, env: { DATABASE_URL: url } })
    const second = yield* replay
    const third = yield* replay
    const whole = yield* books
    const said = (loaded: number) => `${JSON.stringify({ loaded, superseded: 0, refused: {} })}\n`
    return {
      reached,
      wrong: [
        ...second.wrong,
        ...third.wrong,
        ...untrue([
          [torn.pages.length === pages - left, `${torn.pages.length} pages are there, ${left} dead letters are open`],
          [new Set(torn.pages.map((page) => page.url)).size === torn.pages.length, "a page is there twice"],
          [second.stdout === said(left), `of ${left} dead letters: ${second.stdout}`],
          [third.stdout === said(0), `of none: ${third.stdout}`],
          [(yield* open) === 0, "dead letters are open"],
          [whole.letters.length === made.deadLetters, `${whole.letters.length} dead letters are known`],
          [
            isDeepStrictEqual(new Map(whole.pages.map((page) => [page.url, page.links])), made.links),
            "the pages are not those of the site"
          ],
          [whole.pages.length === pages, `${whole.pages.length} pages are there`],
          [whole.pages.every((page) => page.metadata === 1), "there are pages without their metadata"],
          [whole.submitted.length === made.posts, `${whole.submitted.length} jobs are known`]
        ])
      ]
    }
  })
  const target: Target = { phases: new Map(Object.entries(met)), kill: (death) => Effect.scoped(kill(death)) }
  return target
})
