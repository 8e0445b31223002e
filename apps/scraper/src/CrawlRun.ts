import { type CrawlResult, isTerminal } from "@sluice/contract"
import { Effect, Fiber, Result } from "effect"
import type { CrawlEvent, CrawlLog } from "./CrawlLog.ts"
import { type CrawlScope, inScope } from "./CrawlScope.ts"
import type { CrawlState } from "./CrawlState.ts"
import type { CrawlSpec } from "./CrawlStore.ts"
import type { Fetcher, LoadOutcome } from "./Fetcher.ts"
import type { StoreError } from "./Files.ts"
import { contentOf, type PageContent } from "./PageContent.ts"
import { finalFailure, type PageFailure } from "./PageFailure.ts"

/** What a run works on. `isCancelled` is asked again and again; once true, nothing new is begun. */
export interface CrawlRun {
  readonly spec: CrawlSpec
  readonly state: CrawlState
  readonly log: CrawlLog
  readonly fetcher: Fetcher["Service"]
  readonly concurrency: number
  readonly isCancelled: () => boolean
}

/**
 * Crawls breadth first until no page is open. Up to `concurrency` pages are loaded at once, but they end, and their links
 * are taken up, in the order of discovery: which pages a crawl has and in which order does not depend on who answers
 * first, and rows that have ended are always the first ones. Continues where the state stands, so it also resumes.
 */
export const runCrawl = Effect.fn("CrawlRun.runCrawl")(function* (run: CrawlRun): Effect.fn.Return<void, StoreError> {
  const { state } = run
  const window: Array<{ readonly id: number; readonly fiber: Fiber.Fiber<PageEnd> }> = []
  let next = state.firstOpen()
  while (true) {
    while (window.length < run.concurrency && next < state.pages.length && !run.isCancelled()) {
      const id = next++
      if (isTerminal(state.pages[id]?.status ?? "completed")) continue
      window.push({ id, fiber: yield* Effect.forkChild(endOf(run, id)) })
    }
    const head = window.shift()
    if (head === undefined) return
    yield* commit(run, head.id, yield* Fiber.join(head.fiber))
  }
})

type PageEnd = LoadOutcome & { readonly content: Result.Result<PageContent, PageFailure> | undefined }

const endOf = Effect.fnUntraced(function* (run: CrawlRun, id: number): Effect.fn.Return<PageEnd> {
  const page = run.state.pages[id]
  const outcome = yield* run.fetcher.load(page?.url ?? "", {
    headers: {},
    admit: (url, redirects) => admit(run, id, url, redirects),
    started: () => {
      if (page?.status === "queued") page.status = "processing"
    }
  })
  const content = outcome._tag === "Loaded" ? yield* Effect.result(contentOf(outcome, run.spec.formats)) : undefined
  return { ...outcome, content }
})

const admit = (run: CrawlRun, id: number, url: string, redirects: number): "go" | "unwanted" | PageFailure => {
  const page = run.state.pages[id]
  // A page in work drains; one that still waits for its turn is not begun any more.
  if (page?.status === "cancelled" || (run.isCancelled() && page?.status !== "processing")) return "unwanted"
  if (redirects === 0 || url === page?.url) return "go"
  if (run.state.isKnown(url)) return "unwanted"
  if (id !== 0 && !inScope(scopeOf(run.spec), roots(run), url)) {
    return finalFailure("REDIRECT_OUT_OF_SCOPE", `The page redirects to ${url}, which this crawl may not visit`)
  }
  return "go"
}

const commit = Effect.fnUntraced(function* (
  run: CrawlRun,
  id: number,
  end: PageEnd
): Effect.fn.Return<void, StoreError> {
  const { log, state } = run
  const page = state.pages[id]
  if (page === undefined || page.status === "cancelled") return
  const isSecond = end._tag === "Loaded" && end.url !== page.url && state.isKnown(end.url)
  if (end._tag === "Unwanted" || isSecond) {
    yield* log.appendEvents([{ t: "dropped", id }])
    state.drop(id)
    return
  }
  const content = end.content === undefined || Result.isFailure(end.content) ? undefined : end.content.success
  const failure =
    end._tag === "Failed"
      ? end.failure
      : end.content !== undefined && Result.isFailure(end.content)
        ? end.content.failure
        : undefined
  const status = content === undefined ? "failed" : "completed"
  const url = end._tag === "Loaded" ? end.url : page.url
  const row: CrawlResult = {
    url,
    parent_url: page.parent === null ? null : (state.pages[page.parent]?.url ?? null),
    depth: page.depth,
    status,
    error_code: failure?.code ?? null,
    error_message: failure?.message ?? null,
    links: content?.links ?? [],
    data: content === undefined ? null : { markdown: content.markdown, html: content.html },
    metadata: {
      http_status: end._tag === "Loaded" ? end.httpStatus : (failure?.httpStatus ?? null),
      duration_ms: end.durationMs,
      retry_count: end.retryCount,
      tokens_charged: content === undefined ? 0 : 1
    }
  }
  const found =
    page.depth < run.spec.depth && !run.isCancelled()
      ? newLinks(run, id === 0 ? [run.spec.url, url] : roots(run), row.links ?? [], url)
      : []
  const { offset, size } = yield* log.appendRow(row)
  const events: Array<CrawlEvent> = found.map((link) => ({ t: "found", url: link, parent: id, depth: page.depth + 1 }))
  yield* log.appendEvents([...events, { t: "done", id, status, url, offset, size }])
  for (const link of found) state.discover(link, id, page.depth + 1)
  state.finish(id, status, url, offset, size)
})

const newLinks = (
  run: CrawlRun,
  from: ReadonlyArray<string>,
  links: ReadonlyArray<string>,
  self: string
): ReadonlyArray<string> => {
  const room = run.spec.limit - run.state.rows.length
  const found: Array<string> = []
  for (const link of links) {
    if (found.length >= room) break
    if (link !== self && !run.state.isKnown(link) && inScope(scopeOf(run.spec), from, link)) found.push(link)
  }
  return found
}

const scopeOf = (spec: CrawlSpec): CrawlScope => spec

/** The seed as asked for and as redirected: a site that moves its visitors to `www.` is still the same site. */
const roots = (run: CrawlRun): ReadonlyArray<string> => [run.spec.url, run.state.pages[0]?.url ?? run.spec.url]
