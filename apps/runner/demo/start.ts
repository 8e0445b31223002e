import { fileURLToPath } from "node:url"
import { Crawl, Pipeline } from "@sluice/core"
import { Postgres } from "@sluice/sink-postgres"
import { Effect } from "effect"
import { failed } from "../src/CliError.ts"
import { describeReceipt } from "../src/describeReceipt.ts"
import { Environment } from "../src/Environment.ts"
import { machineOf } from "../src/Machine.ts"
import { printResult, tell } from "../src/Output.ts"
import { exitCodeOf, runWithProgress } from "../src/runPipelineFile.ts"
import { runProcess, sluiceProcess } from "../src/sluiceProcess.ts"
import { describeTable } from "../src/table.ts"
import { firstPage, serveDocs } from "./DocsSite.ts"

const root = fileURLToPath(new URL("../../..", import.meta.url))

const rowsWorthSeeing = `
  SELECT split_part(ltrim(p.markdown, '# '), E'\\n', 1) AS title,
         regexp_replace(p.url, '^https?://[^/]+', '') AS page,
         length(p.markdown) AS characters,
         (SELECT count(*)::int FROM links l WHERE l.set_no = p.set_no AND l.page_key = p.page_key) AS links,
         (SELECT count(*)::int FROM links l WHERE l.set_no = p.set_no AND l.url = p.url) AS linked_from
  FROM pages p WHERE p.status = 'completed' ORDER BY linked_from DESC, page LIMIT 3`

const nextSteps = `Try next:
  pnpm sluice query "SELECT url, status FROM pages"      what has landed, in SQL
  pnpm sluice runs                                       what has been run
  pnpm sluice init mine.yaml --url https://example.com   a pipeline of your own,
  pnpm sluice run mine.yaml                              and its first run`

/** The first minute: the project's own documentation, crawled into the embedded database. Never leaves this machine. */
const firstMinute = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  const site = yield* serveDocs(root).pipe(
    Effect.mapError(() => failed("the documentation could not be served on loopback: ports 47400 to 47404 are taken"))
  )
  yield* tell(`Crawling this project's documentation at ${site} into ./.sluice ...`)
  const pipeline = Pipeline.make({
    name: "sluice-docs",
    source: Crawl.make({ url: `${site}${firstPage}`, depth: 5, limit: 200 }),
    sinks: [Postgres.sink({})]
  })
  const machine = machineOf({ embedded: { allow_private_targets: true, host_delay_ms: 0 } }, (path) => path)
  // It costs nothing, and the site may have another address than last time: never gone on with.
  const outcome = yield* runWithProgress(pipeline, machine, { resume: "never" })
  const code = exitCodeOf(outcome)
  if (outcome.receipt.reason !== undefined) yield* tell(`sluice: ${outcome.receipt.status}: ${outcome.receipt.reason}`)
  if (args.includes("--json")) yield* printResult(JSON.stringify(outcome.receipt))
  else {
    yield* printResult(`\n${describeReceipt(outcome.receipt)}\n`)
    const database = yield* Postgres.open({})
    yield* printResult(`${describeTable(yield* Postgres.query(database, rowsWorthSeeing))}\n`)
    yield* printResult(nextSteps)
  }
  return code
}, Effect.scoped)

if (import.meta.main) {
  runProcess(
    sluiceProcess((args) => firstMinute(args), process.argv.slice(2)).pipe(
      Effect.provideService(Environment, {
        variables: {},
        isTerminal: process.stderr.isTTY,
        columns: () => process.stderr.columns ?? 80,
        writeError: (text) => void process.stderr.write(text)
      })
    )
  )
}
