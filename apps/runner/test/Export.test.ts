import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { crawlHistory, makeSite, Simulator } from "@sluice/testkit"
import { Effect, Redacted } from "effect"
import { readByArrow } from "../../../packages/sink-s3/test/readByArrow.ts"
import { directory } from "./Cli.ts"
import { inProcess } from "./inProcess.ts"

const pages = 12

it.live(
  "export writes the datasets of one pipeline to files and streams, and replaces a file only when it is whole",
  () =>
    Effect.gen(function* () {
      const site = makeSite({ pages, failureRate: 0.2 })
      const simulator = yield* Simulator.make({ site, crawl: () => crawlHistory(site, { perPoll: pages }) })
      const home = yield* directory
      const env = {
        SCRAPER_API_BASE_URL: simulator.baseUrl,
        GEONODE_SCRAPER_API_KEY: Redacted.value(simulator.apiKey)
      }
      const file = join(home, "mine.yaml")
      const other = join(home, "other.yaml")
      const pipeline = (name: string) =>
        `name: ${name}\nsource:\n  crawl: { url: "https://site.test/" }\nsinks:\n  - postgres: {}\n`
      writeFileSync(file, pipeline("mine"))
      writeFileSync(other, pipeline("other"))
      for (const path of [file, other]) {
        const { code, stderr } = yield* inProcess(["run", path], env)
        assert.strictEqual(code, 0, stderr)
      }
      const sluice = (...args: ReadonlyArray<string>) => inProcess(args, env)

      const csv = yield* sluice("export", file)
      assert.match(csv.stdout, /^sink,job_id,url,parent_url,depth,input_index,status,/)
      assert.lengthOf(csv.stdout.match(/^postgres,/gm) ?? [], pages)
      const parquet = join(home, "pages.parquet")
      const said = yield* sluice("export", file, "--to", parquet)
      assert.deepInclude(said, { code: 0, stdout: "", stderr: `pages: ${pages} rows to ${parquet}\n` })
      const rows = readByArrow(readFileSync(parquet))
      const jsonl = yield* sluice("export", file, "--format", "jsonl")
      const expected = jsonl.stdout
        .trimEnd()
        .split("\n")
        .map((line): Record<string, unknown> => JSON.parse(line))
      assert.deepStrictEqual(
        rows.map(({ markdown, status, url }) => ({ url, status, markdown })),
        expected.map(({ markdown, status, url }) => ({ url, status, markdown }))
      )

      yield* sluice("export", file, "--format", "json", "--to", `${home}/`)
      assert.includeMembers(readdirSync(home), [
        "pages.json",
        "links.json",
        "page_metadata.json",
        "token_summaries.json"
      ])
      const summaries = JSON.parse(readFileSync(join(home, "token_summaries.json"), "utf8"))
      assert.lengthOf(summaries, 1)
      assert.deepInclude(summaries[0], { kind: "crawl", pages_discovered: pages })

      const unwritable = yield* sluice("export", file, "--to", join(home, "absent", "x.csv"))
      assert.deepInclude(unwritable, { code: 1 })
      assert.match(unwritable.stderr, /absent\/x\.csv cannot be written to \(ENOENT\)/)
      assert.isFalse(readdirSync(home).some((name) => name.endsWith(".partial")))
    }).pipe(Effect.scoped),
  240_000
)
