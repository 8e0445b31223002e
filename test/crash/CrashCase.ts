import { spawn } from "node:child_process"
import { isDeepStrictEqual } from "node:util"
import { Postgres } from "@sluice/sink-postgres"
import { crawlHistory, makeSite, movingHistory, Simulator } from "@sluice/testkit"
import { Effect, Redacted } from "effect"
import { type Point, recurring } from "./points.ts"

/** A process to kill once, and what it works on. */
export interface CrashCase {
  readonly point: Point
  readonly seed: number
}

/** What came of a case, to be compared with what the other side knows. */
export interface CrashVerdict extends CrashCase {
  readonly killed: boolean
  readonly attempts: number
  readonly status: string
  readonly jobs: number
  readonly posts: number
  readonly pages: number
  readonly duplicates: number
  readonly lost: number
  readonly wrong: ReadonlyArray<string>
}

/** A run that does not end in so many attempts never will. */
const mostAttempts = 4
/** A child that lives longer than this has hung. */
const longestLife = "60 seconds"

/** Runs a crawl in a process that is killed at a point, resumes it until it ends, and compares all books. */
export const runCrashCase = Effect.fnUntraced(function* (url: string, { point, seed }: CrashCase) {
  const site = makeSite({ seed, pages: 61 + (seed % 40), failureRate: 0.05 })
  // Every other site is crawled as it should be; the others move as none should.
  const moving = movingHistory({
    seed,
    pages: site.pages.length,
    steps: 6,
    pollsPerStep: 1,
    order: "inserted",
    listing: "all",
    end: "completed",
    failedShare: 0.05,
    cancelledShare: 0,
    stuck: 1,
    staleShare: 0.2,
    repeatedShare: 0.1,
    shortShare: 0.1,
    tornShare: 0,
    unrestAfterEnd: 0
  })
  const history = seed % 2 === 0 ? crawlHistory(site, { perPoll: 13 }) : moving
  const simulator = yield* Simulator.make({ seed, site, crawl: () => history, listLag: seed % 3 })
  const pipeline = `crash-${point.replaceAll(/[^a-z]+/g, "-")}-${seed}`
  const environment = {
    API: simulator.baseUrl,
    KEY: Redacted.value(simulator.apiKey),
    DATABASE_URL: url,
    PIPELINE: pipeline
  }
  const first = yield* live({ ...environment, POINT: point, NTH: `${recurring.has(point) ? 1 + (seed % 3) : 1}` })
  const database = yield* Postgres.open({ url })
  const isOver = Effect.map(
    database.query("SELECT 1 FROM runs WHERE pipeline = $1 AND finished_at IS NOT NULL", [pipeline]),
    (rows) => rows.length > 0
  )
  let last = first
  let attempts = 1
  // A run that has ended is not run again: that would be the next run, which pays for itself.
  while (attempts < mostAttempts && !(yield* isOver)) {
    last = yield* live({ ...environment, NTH: "1" })
    attempts++
  }
  const [standing] = yield* database.query(
    `SELECT count(*)::int AS pages, count(DISTINCT p.url)::int AS urls,
       coalesce(sum((SELECT count(*) FROM links l WHERE l.set_no = p.set_no AND l.page_key = p.page_key)), 0)::int AS links,
       (SELECT count(*) FROM page_metadata m JOIN page_sets s USING (set_no) WHERE s.pipeline = $1)::int AS metadata
     FROM pages p JOIN page_sets s USING (set_no) WHERE s.pipeline = $1`,
    [pipeline]
  )
  const urls = yield* database.query(
    "SELECT p.url FROM pages p JOIN page_sets s USING (set_no) WHERE s.pipeline = $1",
    [pipeline]
  )
  const runs = yield* database.query(
    `SELECT status, finished_at, receipt->'pages'->>'delivered' AS delivered,
       receipt->'sinks'->0->'rows' AS rows FROM runs WHERE pipeline = $1`,
    [pipeline]
  )
  const [spent] = yield* database.query(
    `SELECT coalesce(sum(t.tokens_charged), 0)::int AS tokens
     FROM token_summaries t JOIN jobs j USING (job_no) JOIN runs r USING (run_id) WHERE r.pipeline = $1`,
    [pipeline]
  )
  const expected = new Set(
    seed % 2 === 0 ? site.pages.slice(0, site.pages.length).map((page) => page.url) : moving.terminal.keys()
  )
  const landed = new Set(urls.map((row) => String(row.url)))
  const lost = [...expected].filter((page) => !landed.has(page)).length
  const { charges } = simulator
  const wrong = [
    [last.code === 0 || point === "after end", `the last attempt ended with ${last.code}: ${last.stderr.slice(-400)}`],
    [charges.jobs.length === 1, `${charges.jobs.length} jobs were charged`],
    [charges.received("POST") === 1, `${charges.received("POST")} submissions`],
    [standing?.pages === standing?.urls, "pages stand twice"],
    [Number(standing?.pages) === expected.size && lost === 0, `${standing?.pages} pages stand, not ${expected.size}`],
    [standing?.metadata === standing?.pages, `${standing?.metadata} rows of metadata`],
    [spent?.tokens === charges.tokens, `the ledger counts ${spent?.tokens} tokens, the API ${charges.tokens}`],
    [Number(runs[0]?.delivered) === expected.size, `the receipt counts ${runs[0]?.delivered} delivered pages`],
    [
      isDeepStrictEqual(runs[0]?.rows, {
        links: standing?.links,
        pages: standing?.pages,
        page_metadata: standing?.metadata,
        token_summaries: 1
      }),
      `the receipt counts ${JSON.stringify(runs[0]?.rows)}, the tables ${JSON.stringify(standing)}`
    ],
    [runs.length === 1 && runs[0]?.status === "completed", `runs: ${JSON.stringify(runs)}`]
  ] as const
  const verdict: CrashVerdict = {
    point,
    seed,
    killed: first.signal === "SIGKILL",
    attempts,
    status: String(runs[0]?.status),
    jobs: charges.jobs.length,
    posts: charges.received("POST"),
    pages: Number(standing?.pages),
    duplicates: Number(standing?.pages) - Number(standing?.urls),
    lost,
    wrong: wrong.flatMap(([holds, what]) => (holds ? [] : [what]))
  }
  return verdict
}, Effect.scoped)

interface Life {
  readonly code: number | null
  readonly signal: string | null
  readonly stderr: string
}

/** One life of the child. */
const live = (environment: Readonly<Record<string, string>>): Effect.Effect<Life> =>
  Effect.callback<Life>((resume) => {
    const child = spawn(process.execPath, [new URL("child.ts", import.meta.url).pathname], {
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...environment },
      stdio: ["ignore", "ignore", "pipe"]
    })
    let stderr = ""
    child.stderr.on("data", (chunk: Buffer) => {
      stderr = `${stderr}${chunk}`.slice(-4000)
    })
    child.on("close", (code, signal) => resume(Effect.succeed({ code, signal, stderr })))
    return Effect.sync(() => void child.kill("SIGKILL"))
  }).pipe(Effect.timeout(longestLife), Effect.orDie)
