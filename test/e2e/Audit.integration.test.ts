import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import type { AuditFinding } from "@sluice/core/sink"
import { Effect } from "effect"
import { assertRefused, directory, run, runJson } from "../../apps/runner/test/Cli.ts"
import { page, servePages } from "../../apps/runner/test/Site.ts"
import { testDatabase } from "../../apps/runner/test/TestDatabase.ts"
import { assertCompleted } from "./Crawled.ts"

const names = Array.from({ length: 8 }, (_, index) => `/page-${index}`)
const pages: Readonly<Record<string, string>> = {
  "/": page("home: größe, 漢字, 😀", ...names, "/gone"),
  ...Object.fromEntries(names.map((name) => [name, page(name, "/", `https://elsewhere.example${name}?q=ü`)]))
}

const pipeline = (site: string, mode: string, more = "") => `name: audited
source:
  crawl: { url: "${site}/", depth: 2, limit: 100 }
sinks:
  - postgres: { url: $DATABASE_URL, mode: ${mode} }
  - directory: { path: lake }
${more}embedded: { allow_private_targets: true, host_delay_ms: 0 }
`

describe("sluice audit", { concurrent: true }, () => {
  for (const [mode, vault] of [
    ["append", ""],
    ["replace", "vault: { directory: {} }\n"],
    ["history", "vault: { directory: {} }\n"]
  ] as const) {
    it.live(
      `finds nothing where nothing was touched, and names what was: ${mode}${vault === "" ? "" : ", with a vault"}`,
      () =>
        Effect.gen(function* () {
          const site = yield* servePages(pages)
          const database = yield* testDatabase()
          const cwd = yield* directory
          writeFileSync(join(cwd, "sluice.yaml"), pipeline(site, mode, vault))
          const options = { cwd, env: { DATABASE_URL: database.url } }
          const receipt = yield* runJson<Receipt>(["run", "--json"], options)
          assertCompleted(receipt)
          const audit = Effect.fnUntraced(function* () {
            const { code, stderr, stdout } = yield* run(["audit", receipt.run_id, "--json"], options)
            const findings = stdout
              .split("\n")
              .filter((line) => line !== "")
              .map((line) => JSON.parse(line) as AuditFinding)
            return { code, stderr, findings }
          })
          const untouched = yield* audit()
          assert.deepStrictEqual([untouched.code, untouched.findings], [0, []], untouched.stderr)

          const job = receipt.jobs[0]!.job_id
          yield* database.rows(`UPDATE pages SET markdown = markdown || '!' WHERE url = '${site}/page-1'`)
          yield* database.rows(
            `UPDATE links SET url = 'https://other.example/' FROM pages p
             WHERE p.set_no = links.set_no AND p.page_key = links.page_key AND p.url = '${site}/page-2' AND position = 0`
          )
          yield* database.rows("UPDATE token_summaries SET tokens_charged = tokens_charged + 1")
          const folder = join(cwd, "lake/dataset=links/pipeline=audited")
          const part = join(readdirSync(folder)[0]!, readdirSync(join(folder, readdirSync(folder)[0]!))[0]!)
          const bytes = readFileSync(join(folder, part))
          bytes[bytes.length - 1]! ^= 1
          writeFileSync(join(folder, part), bytes)
          const { code, findings } = yield* audit()
          assert.strictEqual(code, 6)
          const { charged } = receipt.tokens
          const content = vault === "" ? "its content is not what was landed" : "its content is not what was delivered"
          assert.sameDeepMembers(findings, [
            {
              kind: "differs",
              where: "ledger",
              subject: "tokens charged",
              detail: `the receipt says ${charged}, the counters of the run's jobs come to ${charged + 1}`
            },
            {
              kind: "differs",
              where: "api",
              subject: `job ${job}`,
              detail: `the API says ${charged} tokens charged, the ledger ${charged + 1}`
            },
            ...["/page-1", "/page-2"].map(
              (path): AuditFinding => ({
                kind: "differs",
                where: "postgres",
                subject: `${site}${path}`,
                detail: content
              })
            ),
            {
              kind: "differs",
              where: "directory",
              subject: `dataset=links/pipeline=audited/${part}`,
              detail: "the object is not the one that was written"
            }
          ])

          yield* database.rows(`UPDATE page_metadata SET http_status = 201 FROM pages p
            WHERE p.set_no = page_metadata.set_no AND p.page_key = page_metadata.page_key AND p.url = '${site}/page-3'`)
          yield* database.rows(`DELETE FROM pages WHERE url = '${site}/page-4'`)
          rmSync(join(folder, part))
          const worse = (yield* audit()).findings
          const details = worse.map(({ subject, detail }) => `${subject}: ${detail}`)
          assert.include(details, `dataset=links/pipeline=audited/${part}: the object is not there`)
          if (vault !== "") {
            assert.include(details, `${site}/page-3: its row in page_metadata is not what was delivered`)
          }
          if (vault !== "" && mode !== "history") {
            assert.include(details, `${site}/page-4: it was delivered and does not stand`)
          }
          assert.isTrue(details.some((detail) => detail.startsWith("pages: 9 rows stand, the receipt claims 10")))
        }),
      120_000
    )
  }

  it.live(
    "takes a second crawl that found nothing new for what it is",
    () =>
      Effect.gen(function* () {
        const site = yield* servePages(pages)
        const database = yield* testDatabase()
        const cwd = yield* directory
        for (const [mode, vault] of [
          ["merge", "vault: { directory: {} }\n"],
          ["history", ""]
        ] as const) {
          writeFileSync(
            join(cwd, `${mode}.yaml`),
            pipeline(site, mode, vault).replace("name: audited", `name: ${mode}`).replace("path: lake", `path: ${mode}`)
          )
          const options = { cwd, env: { DATABASE_URL: database.url } }
          const first = yield* runJson<Receipt>(["run", `${mode}.yaml`, "--json"], options)
          const second = yield* runJson<Receipt>(["run", `${mode}.yaml`, "--json"], options)
          const audits: Array<ReadonlyArray<string>> = []
          for (const { run_id: runId } of [first, second]) {
            const { code, stderr, stdout } = yield* run(["audit", runId, `${mode}.yaml`, "--json"], options)
            assert.strictEqual(code, 0, stdout + stderr)
            const lines = stdout.split("\n").filter((line) => line !== "")
            audits.push(lines.map((line) => (JSON.parse(line) as AuditFinding).kind))
          }
          const [ofFirst = [], ofSecond] = audits
          assert.isEmpty(ofSecond)
          assert.isTrue(ofFirst.every((kind) => kind === "unknown"))
          // In history what has not changed is the first run's as much as the second's.
          assert.strictEqual(ofFirst.length > 0, mode === "merge")
        }
      }),
    120_000
  )

  it.live(
    "tells a later run from a difference, and refuses what is no run",
    () =>
      Effect.gen(function* () {
        const site = yield* servePages(pages)
        const database = yield* testDatabase()
        const cwd = yield* directory
        writeFileSync(join(cwd, "sluice.yaml"), pipeline(site, "replace"))
        const options = { cwd, alone: true, env: { DATABASE_URL: database.url } }
        const first = yield* runJson<Receipt>(["run", "--json"], options)
        yield* runJson<Receipt>(["run", "--json"], options)
        const { code, stdout } = yield* run(["audit", first.run_id, "--no-api"], options)
        assert.strictEqual(code, 0)
        assert.strictEqual(
          stdout,
          `unknown  postgres: pages: a later run has been published in place of this one\nrun ${first.run_id}: nothing differs from what it claims; 1 could not be told\n`
        )
        assertRefused(
          yield* run(["audit", "0190a000-0000-7000-8000-00000000000a"], options),
          2,
          "there is no run 0190a000-0000-7000-8000-00000000000a in this ledger"
        )
      }),
    120_000
  )
})
