import { assert } from "@effect/vitest"
import { Clock, Effect, Random } from "effect"
import type { QuotaUsage } from "../../src/http/Quota.ts"
import { unknownId } from "../ConformanceWorld.ts"
import { type Operation, operations } from "../OpenApiDocument.ts"
import { raw } from "../TestScraper.ts"
import { paths } from "./hostileSite.ts"

/** Who calls, and the limits under which the server has the key. */
export interface SoakKey {
  readonly key: string
  readonly maxOpenJobsPerKey?: number
  readonly requestsPerMinute?: number
  readonly tokenBalance?: number
  readonly maxCrawlDepth?: number
  readonly maxBatchUrls?: number
}

/** What callers work with: the server, a site to crawl, and a receiver of webhooks. */
export interface SoakWorld {
  readonly baseUrl: string
  readonly siteUrl: (path: string) => string
  readonly receiverUrl: string
}

type Body = Readonly<Record<string, unknown>>

const operationOf = (id: string): Operation =>
  operations.find((each) => each.id === id) ?? assert.fail(`no operation ${id}`)

/**
 * One key's calls, one after the other, chosen by chance. Each answer is held against the reference document, and against
 * what the key may do: nobody else uses the key, so what it has left can only grow between two calls.
 */
export const soakCaller = (world: SoakWorld, limits: SoakKey) => {
  const { key } = limits
  const statuses = new Map<string, number>()
  const jobs: Array<{ readonly kind: "batch" | "crawl" | "extract"; readonly id: string }> = []
  const webhooks: Array<string> = []
  const sent: Array<number> = []

  /** Asks; answers the body if the call was taken, and undefined if it was refused as it may be. */
  const ask = Effect.fnUntraced(function* (
    id: string,
    { about, body, query = "" }: { readonly about?: string; readonly body?: unknown; readonly query?: string } = {},
    headers: Readonly<Record<string, string>> = { "x-api-key": key }
  ) {
    const operation = operationOf(id)
    const now = yield* Clock.currentTimeMillis
    if (headers["x-api-key"] === key) sent.push(now)
    while (sent[0] !== undefined && sent[0] < now - 60_000) sent.shift()
    const answer = yield* raw(`${world.baseUrl}${operation.path.replace(/\{\w+\}/, about ?? "")}${query}`, {
      method: operation.method,
      headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) })
    })
    const told = `${id} ${key}: ${answer.status} ${JSON.stringify(answer.body)}`
    statuses.set(`${id} ${answer.status}`, (statuses.get(`${id} ${answer.status}`) ?? 0) + 1)
    const listed = operation.statuses.includes(String(answer.status)) ? String(answer.status) : "default"
    const validate = operation.answer(listed)
    assert.strictEqual(validate === undefined ? "" : validate(answer.body), "", told)
    // No fault of the server is within the contract, though its document has a place for one.
    assert.isTrue(answer.status < 500 || (id === "search" && answer.status === 501), told)
    if (answer.status === 429) {
      assert.match(answer.headers.get("retry-after") ?? "", /^[1-9]\d*$/, told)
      if (Object(answer.body).message === "Too many requests") {
        const allowed = limits.requestsPerMinute ?? Number.POSITIVE_INFINITY
        assert.isAbove(sent.length, allowed, `throttled too early: ${told}`)
      }
    }
    return answer
  })
  type Asked = Effect.Success<ReturnType<typeof ask>>

  const isThrottled = ({ body, status }: Asked) => status === 429 && Object(body).message === "Too many requests"

  const usage = Effect.map(ask("getUsage"), (answer) =>
    isThrottled(answer) ? undefined : (answer.body as unknown as QuotaUsage)
  )

  /** Opens something that may cost up to `tokens`, and holds the refusal, if it is one, against what was left before. */
  const open = Effect.fnUntraced(function* (id: string, body: Body, tokens: number) {
    const before = yield* usage
    const answer = yield* ask(id, { body })
    if (before === undefined || isThrottled(answer)) return answer
    const told = `${id} ${key}: ${answer.status} ${JSON.stringify({ before, body: answer.body })}`
    if (answer.status === 429) assert.isAtLeast(before.open_jobs, before.max_open_jobs, told)
    if (answer.status === 402) {
      assert.isNotNull(before.tokens_left, told)
      assert.isBelow(before.tokens_left ?? 0, Math.max(1, tokens), told)
    }
    const after = yield* usage
    if (after !== undefined) {
      assert.isAtMost(after.open_jobs, after.max_open_jobs, told)
      if (limits.tokenBalance !== undefined) {
        assert.isAtMost(after.tokens_used + after.tokens_reserved, limits.tokenBalance, told)
      }
    }
    return answer
  })

  const url = Effect.map(Random.choice(paths), world.siteUrl)
  const remember = (kind: (typeof jobs)[number]["kind"], { body, status }: Asked) => {
    if (status !== 202) return
    jobs.push({ kind, id: String(Object(body).job_id) })
    if (jobs.length > 40) jobs.shift()
  }

  const crawl = Effect.gen(function* () {
    const depth = yield* Random.nextIntBetween(1, 3)
    const limit = yield* Random.nextIntBetween(1, 12)
    const most = depth === 1 ? 1 : limit
    const answer = yield* open("createCrawl", { url: yield* url, depth, limit }, most)
    if (depth > (limits.maxCrawlDepth ?? 10) && !isThrottled(answer)) assert.strictEqual(answer.status, 422)
    else remember("crawl", answer)
  })
  const batch = Effect.gen(function* () {
    const urls = yield* Effect.replicateEffect(url, yield* Random.nextIntBetween(1, 8))
    const answer = yield* open("createBatch", { urls: [...urls, "nonsense"], headers: { "x-load": "1" } }, urls.length)
    const isTooMany = urls.length + 1 > (limits.maxBatchUrls ?? 1000)
    if (isTooMany && !isThrottled(answer)) assert.strictEqual(answer.status, 422)
    else remember("batch", answer)
  })
  const extract = Effect.flatMap(url, (target) => open("createExtraction", { url: target, extract_links: true }, 1))
  const extractLater = Effect.flatMap(url, (target) =>
    open("createExtraction", { url: target, processing_mode: "async", formats: ["html", "markdown"] }, 1)
  ).pipe(Effect.map((answer) => remember("extract", answer)))
  const map = open("mapUrls", { url: world.siteUrl("/"), search: "p/1" }, 0)

  const known = Effect.suspend(() => (jobs.length === 0 ? Effect.undefined : Random.choice(jobs)))
  const lookUp = Effect.gen(function* () {
    const job = yield* known
    if (job === undefined) return
    const id = { batch: "getBatch", crawl: "getCrawl", extract: "getExtractionJob" }[job.kind]
    const query = job.kind === "extract" ? "" : `?page=${yield* Random.nextIntBetween(1, 3)}&page_size=50`
    const { body, status } = yield* ask(id, { about: job.id, query })
    // Past its number of kept jobs the server forgets.
    assert.include([200, 404, 429], status)
    if (status === 200 && job.kind === "crawl") {
      const { cancelled_pages, completed_pages, failed_pages, token_summary, total_pages } = Object(body)
      assert.isAtMost(completed_pages + failed_pages + cancelled_pages, total_pages)
      assert.strictEqual(token_summary.tokens_charged_total, completed_pages)
    }
  })
  const cancel = Effect.gen(function* () {
    const job = yield* known
    if (job === undefined || job.kind === "extract") return
    const { status } = yield* ask(job.kind === "batch" ? "cancelBatch" : "cancelCrawl", { about: job.id })
    assert.include([202, 404, 409, 429], status)
  })
  const list = Effect.gen(function* () {
    const id = yield* Random.choice(["listBatchJobs", "listCrawlJobs", "listExtractionJobs", "listMapJobs"])
    yield* ask(id, { query: yield* Random.choice(["", "?status=completed&page=2", "?page_size=50"]) })
  })
  const subscribe = Effect.gen(function* () {
    const event_type = yield* Random.choice(["extract_completed", "batch_completed", "crawl_completed"])
    const { body, status } = yield* ask("createWebhook", { body: { url: world.receiverUrl, event_type } })
    if (status === 201) webhooks.push(String(Object(body).id))
  })
  const subscription = Effect.gen(function* () {
    const about = webhooks[0]
    if (about === undefined) return yield* subscribe
    yield* ask("listWebhookDeliveries", { about })
    yield* ask("rotateWebhookSecret", { about })
    yield* ask("updateWebhook", { about, body: { is_active: yield* Random.nextBoolean } })
    if (webhooks.length < 4) return yield* subscribe
    const { status } = yield* ask("deleteWebhook", { about })
    if (status === 204) webhooks.shift()
  })
  const wrong = Effect.gen(function* () {
    const { path, id } = yield* Random.choice(operations.filter(({ needsKey }) => needsKey))
    const { status } = yield* ask(id, { about: unknownId }, { "x-api-key": "nobody" })
    assert.strictEqual(status, 401, path)
    yield* ask("createCrawl", { body: '{"url": ' })
    yield* ask("createBatch", { body: { urls: [] } })
    yield* ask("getCrawl", { about: "no-uuid" })
    yield* ask("getBatch", { about: unknownId })
    yield* ask("search", { body: { query: "anything" } })
  })
  const statistics = Effect.andThen(ask("getStatistics"), ask("getHealth", {}, {}))

  const deeds = [crawl, crawl, batch, batch, extract, extractLater, map, lookUp, lookUp, lookUp, cancel, list]
  const seldom = [subscription, wrong, statistics, subscribe]
  return {
    statuses,
    usage,
    /** All of it once: what a short run is to have done whatever chance has in store. */
    all: Effect.forEach([...seldom, ...deeds], (deed) => deed, { discard: true }),
    /** Something of all that a key can do. */
    step: Effect.gen(function* () {
      const deed = yield* Random.choice((yield* Random.next) < 0.8 ? deeds : seldom)
      yield* deed
    })
  }
}
