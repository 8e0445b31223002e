import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { killedCrawl } from "./CrawlBench.ts"

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-crawl-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** The soak takes all of it. */
const work =
  process.env.SLUICE_LONG_TESTS === undefined
    ? ({ hosts: 10, pages: 30, delayMs: 100, format: "markdown" } as const)
    : ({ hosts: 50, pages: 100, delayMs: 500, format: "markdown" } as const)
const total = work.hosts * work.pages

// Other systems have one loopback address alone.
const isLinux = process.platform === "linux"
const name = `a crawl of ${total} pages on ${work.hosts} hosts, killed half-way`

describe.skipIf(!isLinux)(isLinux ? name : `${name} (skipped: takes many loopback addresses, as Linux has)`, () => {
  it.live(
    "ends complete, keeps every host's delay, and fetches no more again than was in flight",
    () =>
      Effect.gen(function* () {
        const { completed, inFlight, site } = yield* killedCrawl(yield* directory, work)
        assert.strictEqual(completed, total)
        assert.strictEqual(site.distinct, total)
        assert.isAtMost(site.requests - site.distinct, inFlight)
        assert.isAtMost(inFlight, 2 * work.hosts)
        assert.isAtMost(site.most, 2)
        // Of single gaps a busy machine says little: what was sent in time may be taken in late, and the next one not.
        assert.isAtLeast(site.medianGap, 0.95 * work.delayMs)
      }),
    300_000
  )
})
