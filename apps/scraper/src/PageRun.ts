import { isTerminal, type OutputFormat } from "@sluice/contract"
import { Effect, Fiber, Result, Semaphore } from "effect"
import type { Converter } from "./conversion/Converter.ts"
import type { PageContent } from "./conversion/PageContent.ts"
import type { Fetcher, LoadOutcome } from "./Fetcher.ts"
import type { StoreError } from "./Files.ts"
import type { PageFailure } from "./PageFailure.ts"
import type { PageEvent, PageLog, PageRow } from "./PageLog.ts"
import type { FoundPage, PageState } from "./PageState.ts"
import type { RenderWait } from "./rendering/RenderRequest.ts"

/** What tells one kind of job from another while its pages are fetched. */
export interface PageRules {
  readonly formats: ReadonlyArray<OutputFormat>
  /** The caller's headers for the target. */
  readonly headers: Readonly<Record<string, string>>
  /** How a browser renders the pages; null if none does. */
  readonly render: RenderWait | null
  /** Whether a page may be taken from where its redirects lead; `unwanted` if it is another page of the job. */
  readonly redirected: (state: PageState, id: number, url: string) => "go" | "unwanted" | PageFailure
  /** The URL under which a page ends that was asked for under one URL and loaded from another. */
  readonly endsAs: (asked: string, loaded: string) => string
  /** The further pages to which the links of an ended page lead. Absent where the pages are known from the start. */
  readonly follow?: (
    state: PageState,
    id: number,
    url: string,
    links: ReadonlyArray<string>
  ) => ReadonlyArray<FoundPage>
}

/** What a run works on. `isCancelled` is asked again and again; once true, nothing new is begun. */
export interface PageRun {
  readonly rules: PageRules
  readonly state: PageState
  readonly log: PageLog
  readonly fetcher: Fetcher["Service"]
  readonly converter: Converter["Service"]
  readonly concurrency: number
  readonly isCancelled: () => boolean
  /** Told of each page that ended, once its end is in the log. */
  readonly ended: (row: PageRow) => Effect.Effect<void, StoreError>
}

/**
 * Fetches the pages of a job until none is open, up to `concurrency` at once. Continues where the state stands, so it
 * also resumes.
 */
export const runPages = Effect.fn("PageRun.runPages")(
  (run: PageRun): Effect.Effect<void, StoreError> => (run.rules.follow === undefined ? inAnyOrder(run) : inOrder(run))
)

/** Pages end as they come; their rows stand where the list has them. */
const inAnyOrder = Effect.fnUntraced(function* (run: PageRun): Effect.fn.Return<void, StoreError> {
  const committing = Semaphore.makeUnsafe(1)
  yield* Effect.forEach(
    run.state.openPages(),
    (id) => Effect.flatMap(endOf(run, id), (end) => committing.withPermits(1)(commit(run, id, end))),
    { concurrency: run.concurrency, discard: true }
  )
})

/**
 * Pages end, and their links are taken up, in the order of discovery: which pages a crawl has and in which order does
 * not depend on who answers first, and rows that have ended are always the first ones.
 */
const inOrder = Effect.fnUntraced(function* (run: PageRun): Effect.fn.Return<void, StoreError> {
  const { state } = run
  const window: Array<{ readonly id: number; readonly fiber: Fiber.Fiber<PageEnd> }> = []
  let next = state.openPages()[0] ?? state.pages.length
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

const endOf = Effect.fnUntraced(function* (run: PageRun, id: number): Effect.fn.Return<PageEnd> {
  const page = run.state.pages[id]
  const outcome = yield* run.fetcher.load(page?.url ?? "", {
    headers: run.rules.headers,
    render: run.rules.render,
    admit: (url, redirects) => admit(run, id, url, redirects),
    started: () => {
      if (page?.status === "queued") page.status = "processing"
    }
  })
  const content =
    outcome._tag === "Loaded" ? yield* Effect.result(run.converter.convert(outcome, run.rules.formats)) : undefined
  return { ...outcome, content }
})

const admit = (run: PageRun, id: number, url: string, redirects: number): "go" | "unwanted" | PageFailure => {
  const page = run.state.pages[id]
  // A page in work drains; one that still waits for its turn is not begun any more.
  if (page?.status === "cancelled" || (run.isCancelled() && page?.status !== "processing")) return "unwanted"
  return redirects === 0 || url === page?.url ? "go" : run.rules.redirected(run.state, id, url)
}

const commit = Effect.fnUntraced(function* (
  run: PageRun,
  id: number,
  end: PageEnd
): Effect.fn.Return<void, StoreError> {
  const { log, rules, state } = run
  const page = state.pages[id]
  if (page === undefined || page.status === "cancelled") return
  const isSecond = end._tag === "Loaded" && end.url !== page.url && rules.redirected(state, id, end.url) === "unwanted"
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
  const loadedFrom = end._tag === "Loaded" ? end.url : page.url
  const url = rules.endsAs(page.url, loadedFrom)
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
  const found = run.isCancelled() ? [] : (rules.follow?.(state, id, loadedFrom, row.links) ?? [])
  const { offset, size } = yield* log.appendRow(row)
  const events: ReadonlyArray<PageEvent> = found.map((each) => ({ t: "found", ...each }))
  yield* log.appendEvents([...events, { t: "done", id, status, url, offset, size }])
  for (const each of found) state.discover(each)
  state.finish(id, status, url, offset, size)
  yield* run.ended(row)
})
