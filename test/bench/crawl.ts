import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Clock, Console, Effect } from "effect"
import {
  beginCrawl,
  type CrawlCase,
  fetchOnly,
  followCrawl,
  killedCrawl,
  manyHosts,
  scraperProcess
} from "../crawl/CrawlBench.ts"

// How fast the self-hosted scraper crawls a site of many hosts, beside a crawl that only fetches, with the same delays; how large
// it gets; and what it fetches again after SIGKILL half-way. Site, server and bare crawl are processes of their own.
// node test/bench/crawl.ts [--hosts 50] [--pages 100] [--delay 600] [--format markdown] [--only speed|kill]

const { values: flags } = parseArgs({
  options: {
    hosts: { type: "string", default: "50" },
    pages: { type: "string", default: "100" },
    delay: { type: "string", default: "600" },
    format: { type: "string", default: "markdown" },
    only: { type: "string" }
  }
})

const work: CrawlCase = {
  hosts: Number(flags.hosts),
  pages: Number(flags.pages),
  delayMs: Number(flags.delay),
  format: flags.format === "html" ? "html" : "markdown"
}
const total = work.hosts * work.pages

/** What the goal is: the part of the bare crawl's pages a second, and how much larger the second half may be than the first. */
const leastPart = 0.85
const mostGrowth = 1.25

const temporary = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "sluice-bench-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

const speed = Effect.gen(function* () {
  const site = yield* manyHosts(work)
  const bare = yield* fetchOnly(site.url, work)
  const seenOfBare = yield* site.reset
  yield* Console.log(
    `fetch only: ${bare.pages} pages, ${rate(bare.pages, bare.seconds)}, shortest gap ${seenOfBare.shortestGap.toFixed(1)} ms`
  )
  const server = yield* scraperProcess(yield* temporary, work.delayMs)
  const sizes: Array<readonly [completed: number, rss: number]> = []
  const startedAt = yield* Clock.currentTimeMillis
  const { job_id } = yield* beginCrawl(server.client, site.url, work)
  const job = yield* followCrawl(
    server.client,
    job_id,
    ({ hasEnded }) => hasEnded,
    (completed) => sizes.push([completed, server.rssMiB()])
  )
  const seconds = ((yield* Clock.currentTimeMillis) - startedAt) / 1000
  const seen = yield* site.report
  const peak = (from: number, to: number) =>
    Math.max(...sizes.filter(([done]) => done >= from && done <= to).map(([, rss]) => rss))
  const quarters = [0, 1, 2, 3].map((at) => peak((at * total) / 4, ((at + 1) * total) / 4))
  const [first, second] = [Math.max(...quarters.slice(0, 2)), Math.max(...quarters.slice(2))]
  const part = job.completed_pages / seconds / (bare.pages / bare.seconds)
  yield* Console.log(
    [
      `scraper:    ${job.completed_pages} pages, ${rate(job.completed_pages, seconds)}, ${part.toFixed(2)} of the bare crawl`,
      `CPU:        ${server.cpuSeconds().toFixed(1)} s of the server, ${((server.cpuSeconds() * 1000) / total).toFixed(1)} ms a page`,
      `gaps:       ${seen.violations} shorter than ${work.delayMs} ms, the shortest ${seen.shortestGap.toFixed(1)} ms`,
      `peak RSS:   ${quarters.map((each) => each.toFixed(0)).join(", ")} MiB in the four quarters`
    ].join("\n")
  )
  return job.completed_pages === total && part >= leastPart && seen.violations === 0 && second <= first * mostGrowth
}).pipe(Effect.scoped)

const kill = Effect.gen(function* () {
  const { completed, inFlight, site } = yield* killedCrawl(yield* temporary, work)
  const again = site.requests - site.distinct
  yield* Console.log(
    `killed:     ${completed} pages after SIGKILL half-way; ${again} fetched again, ${inFlight} in flight; ${site.violations} gaps too short`
  )
  return completed === total && again <= inFlight && site.most <= 2
}).pipe(Effect.scoped)

const rate = (pages: number, seconds: number) => `${seconds.toFixed(1)} s, ${(pages / seconds).toFixed(1)} pages/s`

const runs = { speed, kill }
const chosen = flags.only === "speed" || flags.only === "kill" ? [runs[flags.only]] : [speed, kill]

await Effect.runPromise(
  Effect.map(
    Effect.forEach(chosen, (run) => run),
    (passed) => {
      if (passed.includes(false)) process.exitCode = 1
    }
  )
)
