// Usage: pnpm docs:record. Runs the session in a terminal against a simulated API and draws it as docs/recording/session.svg.
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { crawlHistory, makeSite, Simulator } from "@sluice/testkit"
import xterm from "@xterm/headless"
import { Effect, Redacted } from "effect"
import { drawFrames, type Frame, screenOf } from "./drawFrames.ts"

const columns = 100
const rows = 24
const root = fileURLToPath(new URL("../..", import.meta.url))

/** What is typed, in this order. */
const session = (site: string): ReadonlyArray<string> => [
  `sluice init quotes.yaml --name quotes --url ${site}`,
  "sluice run quotes.yaml",
  `sluice query --file quotes.yaml "SELECT url, status, length(markdown) AS characters FROM pages ORDER BY url LIMIT 3"`
]

/** A shell script that shows each command as if it were typed and runs it. */
const scriptOf = (commands: ReadonlyArray<string>): string =>
  [
    `sluice() { "${process.execPath}" --disable-warning=ExperimentalWarning "${root}apps/runner/src/main.ts" "$@"; }`,
    ...commands.flatMap((command) => [`printf '\\033[1;32m$\\033[0m %s\\n' '${command}'`, command, "echo"])
  ].join("\n")

const record = (folder: string, environment: Record<string, string>, commands: ReadonlyArray<string>) =>
  Effect.callback<ReadonlyArray<Frame>>((resume) => {
    const file = join(folder, "session.sh")
    writeFileSync(file, scriptOf(commands))
    const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: false })
    const frames: Array<Frame> = []
    const startedAt = performance.now()
    const child = spawn("script", ["-qfec", `stty cols ${columns} rows ${rows}; bash ${file}`, "/dev/null"], {
      cwd: folder,
      env: { ...process.env, TERM: "xterm-256color", ...environment }
    })
    child.stdout.on("data", (chunk: Buffer) => {
      const atMs = performance.now() - startedAt
      terminal.write(chunk, () => void frames.push({ atMs, lines: screenOf(terminal) }))
    })
    child.on("close", () => terminal.write("", () => resume(Effect.succeed(frames))))
  })

const main = Effect.scoped(
  Effect.gen(function* () {
    const site = makeSite({ pages: 60, seed: 7, url: "https://quotes.example/" })
    const simulator = yield* Simulator.make({
      site,
      crawl: ({ limit }) => crawlHistory(site, { perPoll: 3, ...(limit === undefined ? {} : { limit }) })
    })
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-recording-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
    )
    const environment = {
      SCRAPER_API_BASE_URL: simulator.baseUrl,
      GEONODE_SCRAPER_API_KEY: Redacted.value(simulator.apiKey)
    }
    const frames = yield* record(folder, environment, session(site.url))
    writeFileSync(fileURLToPath(new URL("session.svg", import.meta.url)), drawFrames(frames, { columns, rows }))
  })
)

await Effect.runPromise(main)
