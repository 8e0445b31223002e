import { isObject, type Json, type Members, mapResults, withMembers, without } from "./bodies.ts"

/** What a misbehaving API makes of one kind of its answers. */
export interface Misbehaviour {
  readonly method: "GET" | "POST" | "DELETE"
  /** The paths whose answers it changes. */
  readonly path: RegExp
  /** Only the answers with these numbers, counted from 1. */
  readonly nth?: ReadonlyArray<number>
  /** The answer it gives in place of its own, without doing what was asked. */
  readonly instead?: { readonly status: number; readonly body: Json }
  /** The answer as it is sent. A status of its own may come with it. */
  readonly change?: (body: Json) => Json
  readonly status?: number
}

const job = /^\/v1\/(?:crawl|batch)\/(?!jobs$)[^/]+$/
const extraction = /^\/v1\/extract\/(?!jobs$)[^/]+$/
const asked = (kind: string) => new RegExp(`^/v1/${kind}$`)

const items = (change: (item: Members, at: number) => Json): Misbehaviour => ({
  method: "GET",
  path: job,
  change: mapResults(change)
})

const metadataOf = (change: (metadata: Members) => Json) => (item: Members) =>
  isObject(item.metadata) ? { ...item, metadata: change(item.metadata) } : item

const counters = ["total", "completed", "failed", "cancelled", "pending"].flatMap((name) => [
  `${name}_pages`,
  `${name}_urls`
])

const eachNumber = (object: Members, change: (value: number) => Json): Members =>
  Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, typeof value === "number" ? change(value) : value])
  )

const refusal = (status: number) => ({
  status,
  body: { code: "INVALID_URL", message: "The host of this URL does not resolve", retryable: false }
})

/** An id that no job of the simulator has. */
const otherJob = "ffffffff-ffff-4fff-8fff-ffffffffffff"

/**
 * What APIs were seen to do, or may do, that the contract does not say, by name. Each is lasting: it changes every answer it is about,
 * unless it says which.
 */
export const misbehaviours = {
  /** Results hold only URL, state, place and content. */
  "bare-results": items((item) =>
    Object.fromEntries(
      ["url", "status", "input_index", "data"].flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]]))
    )
  ),
  "null-metadata": items(
    metadataOf((metadata) => Object.fromEntries(Object.keys(metadata).map((name) => [name, null])))
  ),
  "float-durations": items(
    metadataOf((metadata) => ({ ...metadata, duration_ms: Number(metadata.duration_ms) + 0.4 }))
  ),
  "numbers-as-text": items((item) => metadataOf((metadata) => eachNumber(metadata, String))(eachNumber(item, String))),
  "depth-from-zero": items((item) => (typeof item.depth === "number" ? { ...item, depth: item.depth - 1 } : item)),
  /** Values of the wrong kind in each member but those a page is known by. */
  "mistyped-members": items((item) => ({
    ...item,
    depth: "two",
    links: [...(Array.isArray(item.links) ? item.links : []), { no: "url" }],
    error_message: { text: "an object" },
    metadata: { http_status: [200], duration_ms: 1e300, retry_count: true, tokens_charged: "one" }
  })),
  /** The second result of each slice does not say which page it is, */
  "results-without-url": items((item, at) => (at === 1 ? without(item, ["url", "input_index"]) : item)),
  /** or how it ended. */
  "unknown-states": items((item, at) => (at === 1 ? { ...item, status: "archived" } : item)),
  "no-data": items((item) => ({ ...item, data: null, links: null })),
  "all-cancelled": {
    method: "GET",
    path: job,
    change: (body) => {
      if (!isObject(body) || body.status !== "completed") return body
      const cancelled = mapResults((item) => ({
        ...item,
        status: "cancelled",
        data: null,
        links: null,
        metadata: null
      }))
      return withMembers(cancelled(body), {
        completed_pages: 0,
        completed_urls: 0,
        failed_pages: 0,
        failed_urls: 0,
        cancelled_pages: body.total_pages ?? 0,
        cancelled_urls: body.total_urls ?? 0
      })
    }
  },
  /** Three pages are never heard of, and the job says that it has completed. */
  "pending-at-end": {
    method: "GET",
    path: job,
    change: (body) => {
      if (!isObject(body) || !Array.isArray(body.results)) return body
      const isMissing = (item: Json) => isObject(item) && /\/p\/[123]$/.test(`${item.url}`)
      const less = (count: Json | undefined) => Math.max(0, Number(count) - 3)
      return withMembers(body, {
        results: body.results.filter((item: Json) => !isMissing(item)),
        completed_pages: less(body.completed_pages),
        completed_urls: less(body.completed_urls),
        pending_urls: Number(body.pending_urls) + 3
      })
    }
  },
  /** Of a job nothing is counted but its pages as a whole. */
  "missing-counters": {
    method: "GET",
    path: job,
    change: (body) =>
      isObject(body)
        ? without(body, counters.filter((name) => !name.startsWith("total")).concat(["token_summary", "created_at"]))
        : body
  },
  "counters-as-text": {
    method: "GET",
    path: job,
    change: (body) =>
      isObject(body)
        ? { ...eachNumber(body, String), created_at: 1_767_225_600, status: String(body.status).toUpperCase() }
        : body
  },
  /** One answer is about another job. */
  "other-job": {
    method: "GET",
    path: job,
    nth: [2],
    change: (body) => (isObject(body) ? { ...body, job_id: otherJob, completed_pages: 7, results: [] } : body)
  },
  /** A job is created, and the answer holds only its ID. */
  "bare-acceptance": {
    method: "POST",
    path: /^\/v1\/(?:crawl|batch)$/,
    change: (body) => (isObject(body) ? { job_id: body.job_id ?? null } : body)
  },
  /** The third URL is refused when it is asked for, in either of the ways. */
  "refused-url-422": { method: "POST", path: asked("extract"), nth: [3], instead: refusal(422) },
  "refused-url-400": { method: "POST", path: asked("extract"), nth: [3], instead: refusal(400) },
  /** The first time a batch is asked for it is refused for its third URL. */
  "refused-batch-url": {
    method: "POST",
    path: asked("batch"),
    nth: [1],
    instead: {
      status: 422,
      body: {
        detail: [{ type: "url_parsing", loc: ["body", "urls", 2], msg: "The host of this URL does not resolve" }]
      }
    }
  },
  "invalid-urls-as-objects": {
    method: "POST",
    path: asked("batch"),
    change: (body) =>
      isObject(body) && Array.isArray(body.invalid_urls)
        ? { ...body, invalid_urls: body.invalid_urls.map((url) => ({ url, error: "The host does not resolve" })) }
        : body
  },
  "no-input-index": items((item) => without(item, ["input_index"])),
  /** An asynchronous extraction is answered with the page. */
  "page-at-once": {
    method: "POST",
    path: asked("extract"),
    status: 200,
    change: (body) =>
      isObject(body) && body.data === undefined
        ? {
            data: { markdown: "# At once", html: null, links: null },
            metadata: { http_status: 200 },
            tokens_charged: 1
          }
        : body
  },
  /** A synchronous extraction lacks members. */
  "bare-page": {
    method: "POST",
    path: asked("extract"),
    change: (body) => (isObject(body) && body.data !== undefined ? { data: body.data } : body)
  },
  "bare-extraction": {
    method: "GET",
    path: extraction,
    change: (body) => (isObject(body) ? { status: body.status ?? null, data: body.data ?? null } : body)
  },
  "map-fails": {
    method: "POST",
    path: asked("map"),
    change: () => ({ success: false, links: [], warning: "The site does not answer" })
  },
  "map-warns": {
    method: "POST",
    path: asked("map"),
    change: (body) => (isObject(body) ? { ...body, warning: "The sitemap was cut short" } : body)
  },
  "map-finds-nothing": {
    method: "POST",
    path: asked("map"),
    change: () => ({ success: true, links: [], warning: null })
  },
  /** Links of every kind that a page may hold, and each twice. */
  "map-odd-links": {
    method: "POST",
    path: asked("map"),
    change: (body) => {
      if (!isObject(body) || !Array.isArray(body.links)) return body
      const odd: ReadonlyArray<Json> = [
        null,
        "",
        { url: "" },
        { url: "mailto:a@site.test" },
        { url: 7 },
        { url: "javascript:1" }
      ]
      const again = body.links.flatMap((link) =>
        isObject(link) ? [{ ...link, url: `${link.url}#part` }, String(link.url)] : []
      )
      return { ...body, links: [...odd, ...body.links, ...again, { url: "/p/1" }] }
    }
  },
  /** Maps take too long, twice. */
  "map-times-out": {
    method: "POST",
    path: asked("map"),
    nth: [1, 2],
    instead: { status: 408, body: { code: "TIMEOUT", message: "The map took too long", retryable: true } }
  }
} as const satisfies Record<string, Misbehaviour>

/** The name of something an API does that the contract does not say. */
export type MisbehaviourName = keyof typeof misbehaviours

/** All of them. */
export const misbehaviourNames = Object.keys(misbehaviours) as ReadonlyArray<MisbehaviourName>
