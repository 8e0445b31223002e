import { hash } from "node:crypto"
import { Scraper } from "@sluice/core"
import { type Paging, sliceOf } from "@sluice/testkit"
import { Clock, Effect, Layer, Redacted } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import type { ScraperOptions } from "../../packages/core/src/api/Scraper.ts"

/** What a read is answered with in place of its answer. */
export const strays = ["404", "401", "503", "429", "html", "shape", "redirect", "other job"] as const
export type Stray = (typeof strays)[number]

/** A URL that is refused, by its place, and how a batch says so: by 422, or in what it lists as invalid. */
export interface RefusedPlace {
  readonly place: number
  readonly as: "422" | "listed"
}

/** How an API in virtual time behaves. Times in seconds. */
export interface StrangeOptions {
  /** Pages of a crawl and links of a map; other jobs have those they are asked for. */
  readonly pages: number
  /** How long a job takes: its pages end one after the other. */
  readonly takes: number
  /** How long the rows of pages lag behind the counters. */
  readonly lag: number
  readonly paging?: Paging
  /** Which reads of jobs, counted from 1, are answered by something else. */
  readonly stray: ReadonlyMap<number, Stray>
  /** From which read of a job on it is not known any more. */
  readonly vanishesAt?: number
  /** From which read on the key is refused. */
  readonly locksAt?: number
  /** For how long after the end counters are lower than they were. */
  readonly falls?: number
  /** The submission, counted from 1 without maps, from which on the balance is used up. */
  readonly brokeAt?: number
  readonly refused?: RefusedPlace
  /** URLs of the first job that never end, though it does. */
  readonly pendingAtEnd?: number
}

interface Job {
  readonly id: string
  readonly kind: string
  readonly urls: ReadonlyArray<string>
  /** Those it was asked for and has refused. */
  readonly invalid: ReadonlyArray<string>
  readonly madeAt: number
}

/** An API in this process and in virtual time, below the real client: what goes over the wire, without the wire. */
export class StrangeApi {
  readonly posts: Array<string> = []
  readonly jobs: Array<Job> = []
  /** URLs that were asked for and refused. */
  readonly refusals: Array<string> = []
  reads = 0
  readonly #options: StrangeOptions

  constructor(options: StrangeOptions) {
    this.#options = options
  }

  /** The real client of it. */
  layer(options: Partial<ScraperOptions> = {}): Layer.Layer<Scraper> {
    const client = HttpClient.make((request, url) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
        return HttpClientResponse.fromWeb(request, this.#answer(request.method, url, body, now / 1000))
      })
    )
    const made = Scraper.layer({ baseUrl: "https://strange.test", apiKey: Redacted.make("key"), ...options })
    return Layer.orDie(made.pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, client))))
  }

  /** Links of a map, and pages of a crawl. */
  get urls(): ReadonlyArray<string> {
    return Array.from({ length: this.#options.pages }, (_, place) => `https://strange.test/p/${place}`)
  }

  get #refusedUrl(): string | undefined {
    const { refused } = this.#options
    return refused === undefined ? undefined : this.urls[refused.place]
  }

  #answer(method: string, url: URL, body: string, now: number): Response {
    const [, , kind = "", id] = url.pathname.split("/")
    if (method === "POST") return this.#submit(kind, body, now)
    if (method === "DELETE") return Response.json({}, { status: 202 })
    if (id === "jobs") return Response.json({ jobs: [], page: 1, page_size: 100, page_count: 0 })
    return this.#read(kind, id ?? "", url, now)
  }

  #submit(kind: string, body: string, now: number): Response {
    this.posts.push(`${kind} ${body}`)
    const request = JSON.parse(body)
    if (kind === "map") {
      return Response.json({ success: true, warning: null, links: this.urls.map((url) => ({ url, source: "html" })) })
    }
    const paid = this.posts.filter((post) => !post.startsWith("map ")).length
    const { brokeAt = Number.POSITIVE_INFINITY } = this.#options
    if (paid >= brokeAt) return refusal(402)
    const asked: ReadonlyArray<string> = kind === "crawl" ? this.urls : kind === "batch" ? request.urls : [request.url]
    const invalid = kind === "crawl" ? [] : asked.filter((url) => url === this.#refusedUrl)
    const urls = asked.filter((url) => !invalid.includes(url))
    this.refusals.push(...invalid)
    if (invalid.length > 0 && (urls.length === 0 || this.#options.refused?.as === "422")) {
      return invalidUrl(kind === "batch" ? ["body", "urls", asked.indexOf(invalid[0]!)] : ["body", "url"])
    }
    const id = `job-${hash("sha256", `${this.jobs.length}`, "hex").slice(0, 12)}`
    this.jobs.push({ id, kind, urls, invalid, madeAt: now })
    const accepted = { job_id: id, status: "queued", status_url: `/v1/${kind}/${id}` }
    if (kind === "extract") return Response.json({ ...accepted, estimated_tokens: 1 }, { status: 202 })
    if (kind === "crawl") return Response.json({ ...accepted, url: request.url }, { status: 202 })
    return Response.json({ ...accepted, accepted_urls: urls.length, invalid_urls: invalid }, { status: 202 })
  }

  #read(kind: string, id: string, url: URL, now: number): Response {
    const nth = ++this.reads
    const { locksAt = Number.POSITIVE_INFINITY, stray, vanishesAt = Number.POSITIVE_INFINITY } = this.#options
    const job = this.jobs.find((job) => job.id === id && job.kind === kind)
    if (job === undefined || nth >= vanishesAt) return refusal(404)
    if (nth >= locksAt) return refusal(401)
    const status = this.#status(job, url, now)
    switch (stray.get(nth)) {
      case undefined:
        return Response.json(status)
      case "html":
        return new Response("<html>", { headers: { "content-type": "text/html" } })
      case "shape":
        return Response.json({ ...status, status: 42 })
      case "other job":
        return Response.json({ ...status, job_id: "job-of-another" })
      case "redirect":
        return new Response(null, { status: 307, headers: { location: "https://login.test/" } })
      default:
        return refusal(Number(stray.get(nth)))
    }
  }

  #status(job: Job, url: URL, now: number) {
    const { id, invalid, kind, madeAt, urls } = job
    const { falls = 0, lag, paging, takes } = this.#options
    const pending = job === this.jobs[0] ? Math.min(urls.length, this.#options.pendingAtEnd ?? 0) : 0
    const ends = urls.length - pending
    const age = now - madeAt
    const endedBy = (at: number) => Math.max(0, Math.min(ends, Math.floor((urls.length * at) / Math.max(1, takes))))
    const isFinal = age >= takes
    const counted = isFinal ? ends : endedBy(age)
    const shown = endedBy(age - lag)
    const completed = isFinal && age < takes + falls ? Math.max(0, counted - 3) : counted
    const status = isFinal ? "completed" : age < 1 ? "queued" : "processing"
    const times = { created_at: iso(madeAt), completed_at: isFinal ? iso(madeAt + takes) : null }
    const summary = { tokens_charged_total: counted, tokens_reserved: urls.length - counted }
    if (kind === "extract") {
      const done = isFinal && age >= takes + lag
      return {
        job_id: id,
        status: done ? "completed" : "processing",
        ...times,
        data: done ? { markdown: "# page", html: null, links: null } : null,
        metadata: null,
        error: null,
        tokens_charged: done ? 1 : null
      }
    }
    const query = { page: Number(url.searchParams.get("page")), page_size: Number(url.searchParams.get("page_size")) }
    const rows = sliceOf({ length: urls.length, slice: (a, b) => [...urls.keys()].slice(a, b) }, query, paging)
    const results = rows.map((place) => {
      const state = place < shown ? "completed" : "processing"
      const data = state === "completed" ? { markdown: `# ${place}`, html: null, links: null } : null
      const base = { url: urls[place], status: state, error_code: null, error_message: null, metadata: null, data }
      return kind === "crawl"
        ? { ...base, parent_url: null, depth: 1, links: null, data: data && { markdown: data.markdown, html: null } }
        : { ...base, input_index: place }
    })
    const head = { job_id: id, status, ...times, token_summary: summary, results }
    return kind === "crawl"
      ? {
          ...head,
          url: urls[0],
          total_pages: urls.length,
          completed_pages: completed,
          failed_pages: 0,
          cancelled_pages: 0
        }
      : {
          ...head,
          total_urls: urls.length,
          completed_urls: completed,
          failed_urls: 0,
          cancelled_urls: 0,
          pending_urls: urls.length - completed,
          invalid_urls: invalid
        }
  }
}

const invalidUrl = (loc: ReadonlyArray<string | number>): Response =>
  Response.json({ detail: [{ type: "url", loc, msg: "This URL is not fetched" }] }, { status: 422 })

const refusal = (status: number): Response =>
  Response.json({ code: "STRANGE", message: `Strange ${status}`, correlation_id: "c", retryable: false }, { status })

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString()
