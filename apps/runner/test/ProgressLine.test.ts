import { writeFileSync } from "node:fs"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import type { Progress } from "@sluice/core"
import { crawlHistory, makeSite, Simulator } from "@sluice/testkit"
import xterm from "@xterm/headless"
import { Console, Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { runCli } from "../src/cli.ts"
import { Environment } from "../src/Environment.ts"
import { makeProgressLine } from "../src/ProgressLine.ts"
import { sluiceProcess } from "../src/sluiceProcess.ts"
import { directory } from "./Cli.ts"

/** A terminal that keeps what was seen on it after each write. */
const makeTerminal = (cols: number, rows = 12) => {
  const terminal = new xterm.Terminal({ cols, rows, allowProposedApi: true, convertEol: true })
  const resized = new Set<() => void>()
  const frames: Array<{ readonly columns: number; readonly lines: ReadonlyArray<string>; readonly wrapped: number }> =
    []
  let settled = Promise.resolve()
  const snapshot = () => {
    const { active } = terminal.buffer
    const all = Array.from({ length: active.length }, (_, at) => active.getLine(at))
    frames.push({
      columns: terminal.cols,
      lines: all.map((line) => line?.translateToString(true) ?? "").filter((line) => line !== ""),
      wrapped: all.filter((line) => line?.isWrapped === true).length
    })
  }
  const write = (text: string) => {
    settled = settled.then(() => new Promise<void>((resolve) => terminal.write(text, () => resolve(snapshot()))))
  }
  return {
    terminal,
    frames,
    write,
    resize: (columns: number) => {
      settled = settled.then(() => {
        terminal.resize(columns, rows)
        for (const changed of resized) changed()
      })
    },
    onResize: (changed: () => void) => {
      resized.add(changed)
      return () => resized.delete(changed)
    },
    settled: () => settled
  }
}

const pages = 24

/** `sluice run` on a terminal of so many columns, made so wide at each of the pauses of the API. */
const recordRun = Effect.fnUntraced(function* (columns: number, widths: ReadonlyArray<number>) {
  const site = makeSite({ pages, failureRate: 0.3, url: "https://site.test/" })
  const simulator = yield* Simulator.make({ site, crawl: () => crawlHistory(site, { perPoll: 8 }) })
  const home = yield* directory
  const file = join(home, "sluice.yaml")
  writeFileSync(
    file,
    `name: site
source:
  crawl: { url: "https://site.test/", limit: ${pages} }
sinks:
  - directory: { path: lake, name: lake }
  - postgres: {}
`
  )
  const recorded = makeTerminal(columns)
  const turns = [...widths]
  const write = (text: string) => {
    recorded.write(text)
    const next = text.includes("pages") ? turns.shift() : undefined
    if (next !== undefined) recorded.resize(next)
  }
  const lines = (...parts: ReadonlyArray<unknown>) => write(`${parts.join(" ")}\n`)
  const stdout: Array<string> = []
  const code = yield* sluiceProcess(runCli, ["run", file]).pipe(
    Effect.provideService(Console.Console, {
      ...console,
      log: (...parts: ReadonlyArray<unknown>) => void stdout.push(parts.join(" ")),
      error: lines
    }),
    Effect.provideService(Environment, {
      variables: {
        SCRAPER_API_BASE_URL: simulator.baseUrl,
        GEONODE_SCRAPER_API_KEY: Redacted.value(simulator.apiKey)
      },
      isTerminal: true,
      columns: () => recorded.terminal.cols,
      writeError: write,
      onResize: recorded.onResize
    }),
    Effect.provide(NodeServices.layer)
  )
  yield* Effect.promise(() => recorded.settled())
  return { code, frames: recorded.frames, stdout: stdout.join("\n") }
})

it.live(
  "a terminal during a run with failures, of 40, 80, 200 and 40 columns again: no line wraps, nothing scrolls",
  () =>
    Effect.gen(function* () {
      const { code, frames, stdout } = yield* recordRun(40, [80, 200, 40])
      assert.strictEqual(code, 0, JSON.stringify(frames.at(-1)))
      assert.match(stdout, /^failed +\d+ pages: /m)
      assert.match(frames[0]?.lines[0] ?? "", /^connecting to/)
      assert.isTrue(frames.some(({ lines }) => lines.some((line) => /\(\d+ failed\)/.test(line))))
      assert.includeMembers(
        frames.map(({ columns }) => columns),
        [40, 80, 200]
      )
      for (const { lines, wrapped } of frames) {
        assert.strictEqual(wrapped, 0, lines.join("\n"))
        assert.isAtMost(lines.length, 1, lines.join("\n"))
      }
      assert.deepStrictEqual(frames.at(-1)?.lines, [])
    }),
  120_000
)

const progress = (second: number): Progress => ({
  startedAt: 0,
  jobs: 1,
  pages: { discovered: 90, completed: 2 * second, failed: second, cancelled: 0, delivered: 3 * second },
  tokens: { charged: 3 * second, reserved: 0 },
  rows: { pages: 3 * second, links: 0, page_metadata: 0, token_summaries: 1 },
  sinks: [
    { name: "日本語の湖", pages: 2 * second },
    { name: "postgres", pages: 3 * second }
  ]
})

/** What a terminal shows of ten seconds, with a log after the fifth; `widths` are what it is made after each. */
const recordLine = Effect.fnUntraced(function* (columns: number, widths: ReadonlyArray<number>, variables = {}) {
  const recorded = makeTerminal(columns)
  const written: Array<string> = []
  const write = (text: string) => {
    written.push(text)
    recorded.write(text)
  }
  yield* Effect.gen(function* () {
    const line = yield* makeProgressLine({ waitingFor: `connecting to ${"日本語".repeat(20)}` })
    for (let second = 1; second <= 10; second++) {
      yield* TestClock.adjust("1 second")
      yield* line.show(progress(second))
      if (second === 5) yield* Effect.provideService(Console.error("a log"), Console.Console, line.console)
      const width = widths[second - 1]
      if (width === undefined) continue
      recorded.resize(width)
      yield* Effect.promise(() => recorded.settled())
    }
    yield* line.clear
  }).pipe(
    Effect.scoped,
    Effect.provideService(Console.Console, {
      ...console,
      error: (...parts: ReadonlyArray<unknown>) => write(`${parts.join(" ")}\n`)
    }),
    Effect.provideService(Environment, {
      variables,
      isTerminal: true,
      columns: () => recorded.terminal.cols,
      writeError: write,
      onResize: recorded.onResize
    })
  )
  yield* Effect.promise(() => recorded.settled())
  return { frames: recorded.frames, written: written.join("") }
})

describe("the progress line on a terminal", () => {
  for (const [columns, ...widths] of [[40], [80], [200], [200, 120, 80, 60, 40, 41, 42, 200, 40]]) {
    it.effect(`of ${[columns, ...widths].join(", ")} columns does not wrap, and nothing scrolls but logs`, () =>
      Effect.gen(function* () {
        const { frames } = yield* recordLine(columns!, widths)
        for (const { lines, wrapped } of frames) {
          assert.strictEqual(wrapped, 0, lines.join("\n"))
          const [log, ...others] = lines[0] === "a log" ? lines : ["a log", ...lines]
          assert.strictEqual(log, "a log")
          assert.isAtMost(others.length, 1, lines.join("\n"))
        }
        assert.deepStrictEqual(frames.at(-1)?.lines, ["a log"])
        assert.isTrue(frames.some(({ lines }) => lines.some((line) => line.startsWith("pages 30 / 90 (10 failed)"))))
      })
    )
  }

  it.effect("has colours, unless NO_COLOR or a terminal without them", () =>
    Effect.gen(function* () {
      assert.include((yield* recordLine(80, [])).written, "\u001b[33m(1 failed)\u001b[39m")
      for (const plain of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
        assert.notInclude((yield* recordLine(80, [], plain)).written, "\u001b[3")
      }
      assert.include((yield* recordLine(80, [], { NO_COLOR: "" })).written, "\u001b[33m")
    })
  )
})

it.effect("without a terminal, who waits longer than a second is told what for; then a line every few seconds", () =>
  Effect.gen(function* () {
    const written: Array<string> = []
    const surroundings = {
      variables: {},
      isTerminal: false,
      columns: () => 80,
      writeError: (text: string) => void written.push(text)
    }
    yield* Effect.gen(function* () {
      const line = yield* makeProgressLine({ waitingFor: "connecting to postgres" })
      yield* Effect.yieldNow
      yield* TestClock.adjust("999 millis")
      assert.deepStrictEqual(written, [])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(written, ["connecting to postgres …\n"])
      for (let second = 1; second <= 10; second++) {
        yield* TestClock.adjust("1 second")
        yield* line.show(progress(second))
      }
      assert.lengthOf(written, 3)
      assert.match(written[2] ?? "", /^pages \d+ \/ 90 .* behind\n$/)
    }).pipe(Effect.scoped, Effect.provideService(Environment, surroundings))
  })
)
