import type { OutputFormat } from "@sluice/contract"
import type { QuestionId, ValueOf } from "@sluice/core/probe"
import {
  type Behaviour,
  batchHistory,
  crawlHistory,
  type FaultRule,
  hidePending,
  type JobHistory,
  type Listing,
  type Misbehaviour,
  type MisbehaviourName,
  makeSite,
  mapStates,
  type Paging,
  reordering,
  type SentItem,
  type SimulatorOptions
} from "@sluice/testkit"
import * as fc from "fast-check"

/** Values by question: null where the question has to stay open, and none where the answer does not follow from the configuration. */
export type Expected = { readonly [Q in QuestionId]?: ValueOf<Q> | null }

const site = makeSite({ pages: 60, seed: 7, branching: 4 })
/** The page that is probed. */
export const target = site.url
/** The bound that probes of configurations have: enough for a crawl that shows its order. */
export const tokens = 24

const often = <A>(usual: A, ...rare: ReadonlyArray<A>) =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(usual) }, { weight: 3, arbitrary: fc.constantFrom(usual, ...rare) })

const formats = fc.constantFrom<ReadonlyArray<OutputFormat>>(["markdown"], ["html"], ["markdown", "html"])
const bodies = fc.constantFrom(
  "envelope" as const,
  "validation" as const,
  "search" as const,
  "empty" as const,
  "html" as const
)
const shape = (...statuses: ReadonlyArray<number>) =>
  fc.record({ status: fc.constantFrom(...statuses), body: bodies }, { noNullPrototype: true })

/** One API: each member is something that the contract leaves open. */
export const arbitraryFacets = fc.record(
  {
    accepts: often<ReadonlyArray<string>>(["x-api-key", "bearer"], ["x-api-key"]),
    wrongKey: shape(401, 403),
    unknownJob: shape(404),
    malformedId: shape(422, 400),
    emptyRequest: shape(422, 400),
    cancellation: shape(409, 400, 404),
    rateHeaders: often<ReadonlyArray<string>>([], ["x-ratelimit-limit", "x-ratelimit-remaining"], ["ratelimit"]),
    throttled: often<"never" | "seconds" | "date" | "absent">("never", "seconds", "date", "absent"),
    extractFormats: formats,
    batchFormats: formats,
    crawlFormats: formats,
    syncTokens: often(1, 0, 2),
    map: often<ValueOf<"map.answer">>("links", "warning", "nothing", "failure"),
    mapTokens: often<number | null>(null, 0, 1, 3),
    mapListed: often(true, false),
    syncListed: often(true, false),
    urlFilter: often<NonNullable<Behaviour["urlFilter"]>>("exact", "part", "ignored"),
    invalidUrls: often<ValueOf<"batch.invalid_urls">>("texts", "objects", "none", "request refused"),
    duplicates: often(true, false),
    asyncAnswer: often<"job" | "page">("job", "page"),
    listing: fc.oneof(
      fc.subarray<Listing>(["one page", "ignores dates", "ignores status", "oldest first", "repeats the last page"]),
      fc.constantFrom<ReadonlyArray<Listing>>(["shows none"], ["ignores page"])
    ),
    listLag: often(0, 1, 4),
    pageSizes: often<Readonly<Record<string, number>>>({}, { crawl: 20, extract: 50 }),
    oversizeLists: often<NonNullable<Behaviour["oversizeLists"]>>("refused", "lowered", "accepted"),
    oversizeResults: often<"refused" | "accepted">("refused", "accepted"),
    refusesPastList: often(false, true),
    refusesPastResults: often(false, true),
    emptyPageCount: often(0, 1),
    paging: fc.oneof(
      fc.constant(undefined),
      fc.constantFrom<Paging>(
        "ignores page",
        "counts from 0",
        "repeats the last page",
        { rows: 1 },
        { rows: 3 },
        { emptyPage: 2 },
        { cutTo: 2 }
      )
    ),
    order: fc.constantFrom("steady" as const, "newest-first" as const, "inserted" as const, "flipping" as const),
    pendingRows: often(true, false),
    repeated: often(false, true),
    seedDepth: often(1, 0),
    cancelWord: often("cancelled", "queued"),
    estimated: often<ValueOf<"crawl.estimated_pages">>("limit", "absent", "other"),
    defaults: often<Readonly<Record<string, boolean | number>>>(
      {},
      { same_domain_only: true, render_js: false },
      { limit: 100 }
    ),
    lacking: fc.subarray(["parent_url", "error_code", "links"] as const),
    score: often(false, true),
    renamed: often(false, true),
    durations: often<"whole" | "text" | "fraction">("whole", "text", "fraction"),
    usage: often<ReadonlyArray<string> | null>(null, ["active", "limit"])
  },
  { noNullPrototype: true }
)
type Facets = typeof arbitraryFacets extends fc.Arbitrary<infer F> ? F : never

/** An API with what a probe of it has to find out. */
export interface ProbedConfig {
  readonly options: SimulatorOptions
  readonly expected: Expected
  /** Questions that slices of few rows leave to chance: not even a second probe has to answer them alike. */
  readonly unsure: ReadonlySet<QuestionId>
}

/** The API of some facets with its oracle. */
export const configOf = (facets: Facets): ProbedConfig => ({
  options: optionsOf(facets),
  expected: expectedOf(facets),
  unsure: new Set(isCut(facets.paging) ? ofMotion : [])
})

const ofMotion = ["results.order", "results.pending_rows", "results.repeated_rows", "crawl.reserved"] as const

/** Whether a slice shows a few rows of a job alone. */
const isCut = (paging: Paging | undefined): boolean => typeof paging === "object" && !("emptyPage" in paging)

const rule = (method: Misbehaviour["method"], path: RegExp, set: (body: SentItem) => object): Misbehaviour => ({
  method,
  path,
  change: (body) => ({ ...(body as SentItem), ...set(body as SentItem) })
})

const isInvalidUrl = (url: string) => !URL.canParse(url)

const optionsOf = (facets: Facets): SimulatorOptions => {
  const moving = (history: JobHistory): JobHistory => {
    const listed = reordering({ seed: 3, order: facets.order, repeated: facets.repeated ? 1 : 0 }, history)
    return facets.pendingRows ? listed : mapStates(listed, hidePending)
  }
  const hasInvalid = facets.invalidUrls !== "none"
  const named: ReadonlyArray<MisbehaviourName | undefined> = [
    ({ links: undefined, warning: "map-warns", nothing: "map-finds-nothing", failure: "map-fails" } as const)[
      facets.map
    ],
    facets.asyncAnswer === "page" ? "page-at-once" : undefined,
    facets.invalidUrls === "objects" ? "invalid-urls-as-objects" : undefined,
    facets.seedDepth === 0 ? "depth-from-zero" : undefined
  ]
  const throttled = { _tag: "Status", status: 429 } as const
  const faults: ReadonlyArray<FaultRule> =
    facets.throttled === "never"
      ? []
      : [
          {
            method: "GET",
            nth: [9],
            fault:
              facets.throttled === "absent"
                ? throttled
                : { ...throttled, retryAfter: { as: facets.throttled, seconds: 0 } }
          }
        ]
  return {
    site,
    seed: 7,
    crawl: ({ limit = 60 }) => moving(crawlHistory(site, { perPoll: 3, limit })),
    batch: ({ urls }) =>
      moving(
        batchHistory(
          site,
          facets.duplicates ? urls : [...new Set(urls)],
          { perPoll: 1 },
          hasInvalid ? isInvalidUrl : undefined
        )
      ),
    ...(hasInvalid ? { isInvalidUrl } : {}),
    listing: facets.listing,
    listLag: facets.listLag,
    ...(facets.paging === undefined ? {} : { paging: facets.paging }),
    faults,
    misbehave: named.filter((name) => name !== undefined),
    behaves: {
      accepts: facets.accepts,
      refusals: {
        "wrong key": facets.wrongKey,
        "unknown job": facets.unknownJob,
        "malformed id": facets.malformedId,
        "empty request": facets.emptyRequest,
        cancellation: facets.cancellation
      },
      headers: Object.fromEntries(facets.rateHeaders.map((name) => [name, "10"])),
      defaultFormats: { extract: facets.extractFormats, batch: facets.batchFormats, crawl: facets.crawlFormats },
      ...(facets.mapTokens === null ? {} : { mapTokens: facets.mapTokens }),
      listsMaps: facets.mapListed,
      listsSyncExtractions: facets.syncListed,
      urlFilter: facets.urlFilter,
      refusesInvalidUrls: facets.invalidUrls === "request refused",
      pageSizes: facets.pageSizes,
      oversizeLists: facets.oversizeLists,
      oversizeResults: facets.oversizeResults,
      refusesPastList: facets.refusesPastList,
      refusesPastResults: facets.refusesPastResults,
      emptyPageCount: facets.emptyPageCount,
      rules: [
        rule("DELETE", /^\/v1\/crawl\//, () => ({
          status: facets.cancelWord,
          ...(facets.renamed ? { in_flight_pages: undefined, in_flight_urls: 0 } : {})
        })),
        ...(facets.renamed
          ? [
              rule("GET", /^\/v1\/crawl\/jobs$/, ({ jobs }) => ({
                jobs: (jobs as ReadonlyArray<SentItem>).map(renamedConfig)
              }))
            ]
          : []),
        rule("POST", /^\/v1\/crawl$/, ({ estimated_pages: told }) =>
          facets.estimated === "limit"
            ? {}
            : { estimated_pages: facets.estimated === "absent" ? undefined : Number(told) + 5 }
        ),
        rule("POST", /^\/v1\/extract$/, ({ tokens_charged: told }) =>
          told === undefined ? {} : { tokens_charged: facets.syncTokens }
        ),
        rule("GET", /^\/v1\/crawl\/(?!jobs$)/, ({ crawl_config: config, results }) => ({
          crawl_config: { ...(config as object), ...facets.defaults },
          results: (results as ReadonlyArray<SentItem>).map((item) => itemOf(facets, item))
        })),
        ...(facets.usage === null
          ? []
          : [
              {
                method: "GET" as const,
                path: /^\/v1\/usage$/,
                instead: { status: 200, body: Object.fromEntries(facets.usage.map((name) => [name, 3])) }
              }
            ])
      ]
    }
  }
}

const renamedConfig = ({ config, ...job }: SentItem): SentItem => ({ ...job, crawl_config: config ?? null })

const asContract = { absent: [], extra: [], mistyped: {} }

const itemOf = ({ durations, lacking, score }: Facets, item: SentItem) => {
  const metadata = item.metadata as SentItem | null
  const took = metadata?.duration_ms
  return {
    ...item,
    ...Object.fromEntries(lacking.map((name) => [name, undefined])),
    ...(score ? { score: 0.5 } : {}),
    ...(metadata === null || durations === "whole"
      ? {}
      : { metadata: { ...metadata, duration_ms: durations === "text" ? `${took}` : Number(took) + 0.5 } })
  }
}

const expectedOf = (facets: Facets): Expected => {
  const { paging } = facets
  const listed = !facets.listing.includes("shows none")
  /** The second slice of fifty is all that is seen as the first. */
  const hasNoRows = paging === "counts from 0"
  const shown = <A>(value: A): A | null => (listed ? value : null)
  const order = {
    steady: "at the end",
    "newest-first": "at the front",
    inserted: "in between",
    flipping: "changing"
  } as const
  const made = facets.invalidUrls !== "request refused"
  const madeJob = facets.asyncAnswer === "job"
  return {
    "auth.accepted": facets.accepts,
    "errors.wrong_key": facets.wrongKey,
    "errors.unknown_job": facets.unknownJob,
    "errors.malformed_id": facets.malformedId,
    "errors.empty_request": facets.emptyRequest,
    "errors.empty_request_tokens": 0,
    "rates.headers": facets.rateHeaders,
    "rates.retry_after": facets.throttled === "never" ? null : facets.throttled,
    "usage.members": facets.usage,
    "statistics.offered": true,
    "extract.default_formats": facets.extractFormats,
    "extract.sync_tokens": facets.syncTokens,
    "extract.async_answer": facets.asyncAnswer,
    "extract.url_filter": madeJob ? shown(facets.urlFilter) : null,
    "extract.sync_listed": madeJob ? shown(facets.syncListed) : null,
    "batch.invalid_urls": facets.invalidUrls,
    ...(hasNoRows || isCut(paging) || paging === "ignores page"
      ? {}
      : {
          "batch.duplicates": made ? facets.duplicates : null,
          "batch.default_formats": made ? facets.batchFormats : null
        }),
    "map.answer": facets.map,
    "map.metadata": facets.map === "links" || facets.map === "warning",
    "map.listed": facets.mapListed,
    "map.tokens": facets.mapListed ? facets.mapTokens : null,
    "cancel.answer": facets.cancelWord,
    "cancel.reserved": 0,
    "cancel.members": facets.renamed
      ? { ...asContract, absent: ["in_flight_pages"], extra: ["in_flight_urls"] }
      : asContract,
    "lists.crawl_members": shown(
      facets.renamed ? { ...asContract, absent: ["config"], extra: ["crawl_config"] } : asContract
    ),
    "cancel.twice": facets.cancellation,
    "cancel.ended": facets.cancellation,
    "crawl.estimated_pages": facets.estimated,
    "crawl.default_formats": facets.crawlFormats,
    "crawl.defaults": facets.defaults,
    "crawl.limit_kept": true,
    // The first page is on page 0, which the simulator refuses.
    "crawl.seed_depth": hasNoRows ? null : facets.seedDepth,
    "crawl.result_members": {
      absent: [...facets.lacking].sort(byContract),
      extra: facets.score ? ["score"] : [],
      mistyped: {
        ...(facets.seedDepth === 0 && !hasNoRows ? { depth: "number" } : {}),
        ...(facets.durations === "whole" ? {} : { "metadata.duration_ms": facets.durations })
      }
    },
    ...(hasNoRows ? {} : { "results.order": order[facets.order] }),
    "crawl.reserved": hasNoRows ? null : true,
    "results.pending_rows": hasNoRows ? null : facets.pendingRows,
    "results.repeated_rows": hasNoRows ? null : facets.repeated,
    "results.page":
      paging === "ignores page" ? "ignored" : paging === "counts from 0" ? "counts from 0" : "counts from 1",
    "results.page_size": sizeOf(paging),
    "results.past_end":
      paging === "ignores page" || paging === "repeats the last page"
        ? "repeated"
        : facets.refusesPastResults
          ? "refused"
          : "empty",
    "results.page_size_over_50": facets.oversizeResults,
    "jobs.unknown_polls": 0,
    "lists.shows_jobs": listed,
    "lists.lag_reads": shown(facets.listLag),
    "lists.order": shown(facets.listing.includes("oldest first") ? "oldest first" : "newest first"),
    "lists.page": shown(facets.listing.includes("ignores page") ? "ignored" : "counts from 1"),
    "lists.page_count": shown(facets.listing.includes("one page") ? "too small" : "right"),
    "lists.dates": shown(facets.listing.includes("ignores dates") ? "ignored" : "honoured"),
    "lists.status": shown(facets.listing.includes("ignores status") ? "ignored" : "honoured"),
    "lists.empty_page_count": facets.listing.includes("ignores dates") ? null : shown(facets.emptyPageCount),
    "lists.past_end": shown(
      facets.listing.includes("ignores page") || facets.listing.includes("repeats the last page")
        ? "repeated"
        : facets.refusesPastList
          ? "refused"
          : "empty"
    ),
    "lists.page_size_over_100": facets.oversizeLists,
    "lists.default_page_size": { crawl: 10, batch: 10, extract: 100, map: 10, ...facets.pageSizes },
    "lists.oldest_days": shown(0)
  }
}

const members = ["parent_url", "error_code", "links"]
const byContract = (a: string, b: string) => members.indexOf(a) - members.indexOf(b)

const sizeOf = (paging: Paging | undefined): ValueOf<"results.page_size"> => {
  if (typeof paging !== "object") return "honoured"
  if ("rows" in paging) return { rows: paging.rows }
  return "cutTo" in paging ? { cut_to: paging.cutTo } : { empty_page: paging.emptyPage }
}
