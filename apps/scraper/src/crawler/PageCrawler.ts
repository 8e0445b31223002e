import type { OutputFormat, ProxyConfig } from "@sluice/contract"
import { Effect, type Exit, Option, Queue, Result, type Scope, Semaphore } from "effect"
import type { Converter } from "../conversion/Converter.ts"
import type { PageContent } from "../conversion/PageContent.ts"
import type { Fetcher, LoadOutcome } from "../fetching/Fetcher.ts"
import type { SiteCookies } from "../fetching/SiteCookies.ts"
import { linksSkipped } from "../metrics/Metrics.ts"
import type { PageFailure } from "../net/PageFailure.ts"
import { CurrentProxy } from "../net/Proxies.ts"
import type { RenderWait } from "../rendering/RenderRequest.ts"
import type { StoreError } from "../state/Files.ts"
import { Frontier } from "./Frontier.ts"
import { LinkOrder } from "./LinkOrder.ts"
import type { PageLog, PageRow } from "./PageLog.ts"
import type { FoundPage, PageState } from "./PageState.ts"

/** What tells one kind of job from another while its pages are fetched. */
export interface JobStrategy {
  readonly formats: ReadonlyArray<OutputFormat>
  /** The caller's headers for the target. */
  readonly headers: Readonly<Record<string, string>>
  /** How a browser renders the pages; null if none does. */
  readonly render: RenderWait | null
  /** The cookies that its pages share; absent where each page has its own. */
  readonly cookies?: SiteCookies
  /** The proxy that was asked for. */
  readonly proxy: typeof ProxyConfig.Type | null
  /** Whether a page may be taken from where its redirects lead; `unwanted` if it is another page of the job. */
  readonly redirected: (state: PageState, id: number, url: string) => "go" | "unwanted" | PageFailure
  /** The URL under which a page ends that was asked for under one URL and loaded from another. */
  readonly endsAs: (asked: string, loaded: string) => string
  /** Whether a page is another one of the job under a second URL, and so none of its own. Absent where every page counts. */
  readonly isDuplicate?: (url: string, content: PageContent) => boolean
  /** Links that lead on from the first page besides its own; asked for once it has ended under a URL. */
  readonly furtherLinks?: (url: string) => Effect.Effect<ReadonlyArray<string>>
  /** How the links of pages are followed. Absent where the pages are known from the start. */
  readonly following?: LinkFollowing
}

/** How the links of a page that has ended lead to further pages. */
export interface LinkFollowing {
  /** Whether any link of the page could lead on. */
  readonly leadsOn: (state: PageState, id: number) => boolean
  /** The further pages to which its links lead. */
  readonly follow: (state: PageState, id: number, row: PageRow) => Followed
}

/** The pages that links lead to, and how many links were skipped, by rule. */
export interface Followed {
  readonly found: ReadonlyArray<FoundPage>
  readonly skipped: ReadonlyMap<string, number>
}

/** What a run works on. `isCancelled` is asked again and again; once true, nothing new is begun. */
export interface PageCrawl {
  readonly strategy: JobStrategy
  readonly state: PageState
  readonly log: PageLog
  readonly fetcher: Fetcher["Service"]
  readonly converter: Converter["Service"]
  /** Pages in work or waiting for their host's turn at once. */
  readonly concurrency: number
  /** Of those, how many of one host. */
  readonly hostConcurrency: number
  readonly isCancelled: () => boolean
  /** Told of each page that ended, once its end is in the log. */
  readonly ended: (row: PageRow) => Effect.Effect<void, StoreError>
}

/**
 * Fetches the pages of a job until none is open: those of each host in the order of discovery, hosts in turns, each page
 * ending when it ends. The links of a host's pages are followed in their order, so what is found on one host, and in which
 * order, does not depend on which of its pages answers first. It starts from the given state, so it also resumes.
 */
export const crawlPages = Effect.fn("PageCrawler.crawlPages")(function* (
  run: PageCrawl
): Effect.fn.Return<void, StoreError> {
  const { state } = run
  const { following } = run.strategy
  const hostOf = (id: number) => URL.parse(state.pages[id]?.url ?? "")?.host ?? ""
  const frontier = new Frontier(run.hostConcurrency)
  const order = new LinkOrder(state)
  const ends = yield* Queue.bounded<Exit.Exit<string, StoreError>>(run.concurrency)
  const committing = Semaphore.makeUnsafe(1)
  let inWork = 0
  let added = 0

  /** Takes in pages that were found. Those that have ended already come from an earlier run; answers their hosts. */
  const addFound = (): ReadonlySet<string> => {
    const hosts = new Set<string>()
    for (; added < state.pages.length; added++) {
      const host = hostOf(added)
      if (following !== undefined) order.add(host, added)
      if (state.hasEnded(added)) hosts.add(host)
      else frontier.add(host, added)
    }
    return hosts
  }
  const followEnded = Effect.fnUntraced(function* (host: string) {
    if (following !== undefined) for (const id of order.take(host)) yield* follow(run, following, id)
  }, committing.withPermits(1))

  const begin = (id: number) => {
    const host = hostOf(id)
    inWork++
    return endOf(run, id).pipe(
      Effect.flatMap((end) => committing.withPermits(1)(commit(run, id, end))),
      // What the page took of the memory for bodies is free once its row is in the log.
      Effect.scoped,
      Effect.as(host),
      Effect.exit,
      Effect.flatMap((exit) => Queue.offer(ends, exit)),
      Effect.forkChild
    )
  }

  for (const host of addFound()) yield* followEnded(host)
  while (true) {
    addFound()
    while (inWork < run.concurrency && !run.isCancelled()) {
      const id = frontier.next()
      if (id === undefined) break
      yield* begin(id)
    }
    if (inWork === 0) return
    const host = yield* yield* Queue.take(ends)
    inWork--
    frontier.ended(host)
    yield* followEnded(host)
  }
})

/** Finds the pages to which the links of an ended page lead. */
const follow = Effect.fnUntraced(function* (
  { isCancelled, log, strategy, state }: PageCrawl,
  following: LinkFollowing,
  id: number
): Effect.fn.Return<void, StoreError> {
  const page = state.pages[id]
  if (page === undefined || page.isFollowed || page.status !== "completed" || isCancelled()) return
  if (!following.leadsOn(state, id)) return
  const row = yield* log.readRow(page.offset, page.size)
  const { furtherLinks = () => Effect.succeed([]), proxy } = strategy
  const further = id === 0 ? yield* Effect.provideService(furtherLinks(page.url), CurrentProxy, proxy) : []
  const withFurther = (row: PageRow) => (further.length === 0 ? row : { ...row, links: [...row.links, ...further] })
  const { found, skipped } = Option.isSome(row) ? following.follow(state, id, withFurther(row.value)) : nothing
  yield* log.appendEvents([...found.map((each) => ({ t: "found", ...each }) as const), { t: "followed", id }])
  for (const each of found) state.discover(each)
  state.follow(id)
  if (skipped.size === 0) return
  yield* Effect.logDebug("Links were skipped", { url: page.url, ...Object.fromEntries(skipped) })
  for (const [rule, count] of skipped) yield* linksSkipped(rule, count)
})

const nothing: Followed = { found: [], skipped: new Map() }

type PageEnd = LoadOutcome & { readonly content: Result.Result<PageContent, PageFailure> | undefined }

const endOf = Effect.fnUntraced(function* (run: PageCrawl, id: number): Effect.fn.Return<PageEnd, never, Scope.Scope> {
  const page = run.state.pages[id]
  const loading = run.fetcher.load(page?.url ?? "", {
    headers: run.strategy.headers,
    render: run.strategy.render,
    ...(run.strategy.cookies === undefined ? {} : { cookies: run.strategy.cookies }),
    admit: (url, redirects) => admit(run, id, url, redirects),
    started: () => {
      if (page?.status === "queued") page.status = "processing"
    }
  })
  const outcome = yield* Effect.provideService(loading, CurrentProxy, run.strategy.proxy)
  const content =
    outcome._tag === "Loaded" ? yield* Effect.result(run.converter.convert(outcome, run.strategy.formats)) : undefined
  return { ...outcome, content }
})

const admit = (run: PageCrawl, id: number, url: string, redirects: number): "go" | "unwanted" | PageFailure => {
  const page = run.state.pages[id]
  // A page in work drains; one that still waits for its turn is not begun any more.
  if (page?.status === "cancelled" || (run.isCancelled() && page?.status !== "processing")) return "unwanted"
  return redirects === 0 || url === page?.url ? "go" : run.strategy.redirected(run.state, id, url)
}

const commit = Effect.fnUntraced(function* (
  run: PageCrawl,
  id: number,
  end: PageEnd
): Effect.fn.Return<void, StoreError> {
  const { log, strategy, state } = run
  const page = state.pages[id]
  if (page === undefined || page.status === "cancelled") return
  const content = end.content === undefined || Result.isFailure(end.content) ? undefined : end.content.success
  const url = strategy.endsAs(page.url, end._tag === "Loaded" ? end.url : page.url)
  const isSecond =
    (end._tag === "Loaded" && end.url !== page.url && strategy.redirected(state, id, end.url) === "unwanted") ||
    (content !== undefined && strategy.isDuplicate?.(url, content) === true)
  if (end._tag === "Unwanted" || isSecond) {
    yield* log.appendEvents([{ t: "dropped", id }])
    state.drop(id)
    return
  }
  const failure =
    end._tag === "Failed"
      ? end.failure
      : end.content !== undefined && Result.isFailure(end.content)
        ? end.content.failure
        : undefined
  const status = content === undefined ? "failed" : "completed"
  const row: PageRow = {
    url,
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
  const { offset, size } = yield* log.appendRow(row)
  yield* log.appendEvents([{ t: "done", id, status, url, offset, size }])
  state.finish(id, status, url, offset, size)
  yield* run.ended(row)
})
