import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { isTerminal, type JobId, type OutputFormat, ScraperApi } from "@sluice/contract"
import { Effect, Schedule, type Scope } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import type { SiteReport } from "./ManyHosts.ts"

/** How large a site is, and how fast it may be asked. */
export interface CrawlCase {
  readonly hosts: number
  /** Pages of each host. */
  readonly pages: number
  readonly delayMs: number
  /** What the pages are asked for as. */
  readonly format: typeof OutputFormat.Type
}

const key = "bench-key"
const fileOf = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** A process that says a line when it is ready. Killed with the scope. */
const started = Effect.fnUntraced(function* (args: ReadonlyArray<string>, line: RegExp) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, args, {
        env: { PATH: process.env.PATH, SCRAPER_API_KEYS: key },
        stdio: ["ignore", "pipe", "inherit"]
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const said = yield* Effect.callback<string>((resume) => {
    let output = ""
    child.stdout.on("data", (chunk: Buffer) => {
      output += `${chunk}`
      const found = line.exec(output)?.[1]
      if (found !== undefined) resume(Effect.succeed(found))
    })
  })
  return { child, said }
})

/** The site, for the scope: its first URL, and what it says of its requests, which it forgets then. */
export const manyHosts = Effect.fnUntraced(function* ({ delayMs, hosts, pages }: CrawlCase) {
  const flags = { hosts, pages, delay: delayMs }
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)])
  const { said } = yield* started([fileOf("ManyHosts.ts"), ...args], /^(http\S+)\n/)
  const ask = (path: string) =>
    Effect.promise(async (): Promise<SiteReport> => JSON.parse(await (await fetch(`${said}${path}`)).text()))
  return { url: `${said}/`, report: ask("/_report"), reset: ask("/_report?reset") }
})

/** Crawls as plainly as can be. */
export const fetchOnly = Effect.fnUntraced(function* (url: string, { delayMs, hosts, pages }: CrawlCase) {
  const flags = { url, limit: hosts * pages, delay: delayMs }
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)])
  const { said } = yield* started([fileOf("fetchOnly.ts"), ...args], /^(\{.*\})\n/)
  const report: { readonly pages: number; readonly seconds: number } = JSON.parse(said)
  return report
}, Effect.scoped)

/** The server as a process of its own, which can be killed. */
export const scraperProcess = Effect.fnUntraced(function* (stateDir: string, delayMs: number) {
  const args = ["--port", "0", "--state-dir", stateDir, "--allow-private-targets", "--host-delay-ms", String(delayMs)]
  const main = fileOf("../../apps/scraper/src/main.ts")
  // As `sluice` is run: with as much memory as the machine has, V8 would take it rather than collect.
  const { child, said } = yield* started(["--max-semi-space-size=8", main, ...args], /Listening on (\S+)\n/)
  const client = yield* HttpApiClient.make(ScraperApi, {
    baseUrl: said,
    transformClient: HttpClient.mapRequest(HttpClientRequest.setHeader("X-Api-Key", key))
  }).pipe(Effect.provide(FetchHttpClient.layer))
  const kill = Effect.callback<void>((resume) => {
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  })
  const pid = child.pid ?? 0
  return { client, kill, rssMiB: () => rssOf(pid), cpuSeconds: () => cpuOf(pid) }
})

type Client = Effect.Success<ReturnType<typeof scraperProcess>>["client"]

/** The resident size of a process, as the operating system counts it. */
const rssOf = (pid: number): number => {
  const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? []
  return Number(kib ?? "0") / 1024
}

/** The processor time that a process has taken, counted by the operating system in hundredths of a second. */
const cpuOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")
  return (Number(fields[13]) + Number(fields[14])) / 100
}

/** Begins a crawl of the whole site. */
export const beginCrawl = (client: Client, url: string, { format, hosts, pages }: CrawlCase) =>
  client.crawl.createCrawl({
    payload: { url, limit: hosts * pages, depth: 10, same_domain_only: false, formats: [format] }
  })

/** Polls a crawl until the condition holds; `look` is called each time. */
export const followCrawl = (
  client: Client,
  job_id: JobId,
  holds: (job: { readonly completed_pages: number; readonly hasEnded: boolean }) => boolean,
  look: (completed: number) => void = () => undefined
) =>
  client.crawl.getCrawl({ params: { job_id }, query: { page_size: 1 } }).pipe(
    Effect.map((job) => ({ ...job, hasEnded: isTerminal(job.status) })),
    Effect.tap((job) => Effect.sync(() => look(job.completed_pages))),
    Effect.repeat({ schedule: Schedule.spaced("200 millis"), until: holds })
  )

/** What is left of a crawl that is killed half-way and gone on with. */
export interface KilledCrawl {
  readonly completed: number
  readonly site: SiteReport
  /** Pages that were asked for and had not ended when the server was killed; at most, as they go on ending while one looks. */
  readonly inFlight: number
}

/** Crawls the site, kills the server half-way, starts it again, and waits for the end. */
export const killedCrawl = Effect.fnUntraced(function* (
  stateDir: string,
  work: CrawlCase
): Effect.fn.Return<KilledCrawl, unknown, Scope.Scope> {
  const site = yield* manyHosts(work)
  const half = (work.hosts * work.pages) / 2
  const first = yield* scraperProcess(stateDir, work.delayMs)
  const { job_id } = yield* beginCrawl(first.client, site.url, work)
  const before = yield* followCrawl(first.client, job_id, (job) => job.completed_pages >= half)
  yield* first.kill
  const { requests } = yield* site.report
  const second = yield* scraperProcess(stateDir, work.delayMs)
  const after = yield* followCrawl(second.client, job_id, (job) => job.hasEnded)
  return {
    completed: after.completed_pages,
    site: yield* site.report,
    inFlight: requests - before.completed_pages
  }
})
