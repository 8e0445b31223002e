import type { OutputFormat } from "@sluice/contract"
import { type ErrorShape, type QuestionId, type ValueOf, valueOf } from "@sluice/core/probe"
import type { Behaviour, RefusalName } from "./Behaviour.ts"
import { type ProfileAnswers, rulesOf } from "./driftRules.ts"
import type { ErrorBody, FaultRule } from "./Faults.ts"
import { batchHistory, crawlHistory, hidePending, type JobHistory, mapStates, unknownAtFirst } from "./JobHistory.ts"
import type { Listing } from "./Listing.ts"
import type { MisbehaviourName } from "./Misbehaviours.ts"
import type { Paging } from "./Paging.ts"
import { type ListOrder, reordering } from "./reordering.ts"
import type { SimulatorOptions } from "./SimulatedApi.ts"
import { makeSite, type SiteModel } from "./SiteModel.ts"

/** What a simulator is made of besides a profile. */
export interface ProfiledOptions {
  readonly seed?: number
  readonly site?: SiteModel
  /** Pages of a crawl that end from one poll to the next. */
  readonly perPoll?: number
}

/**
 * The options of a simulator that behaves as a probed API did, as far as the probe could see. What stayed open is as the simulator does
 * it anyway.
 *
 * @example
 * ```ts
 * import { decodeProfile } from "@sluice/core/probe"
 * import { Simulator, simulatorOf } from "@sluice/testkit"
 * import { Effect } from "effect"
 *
 * const simulator = (json: unknown) =>
 *   Effect.flatMap(decodeProfile(json), (profile) => Simulator.make(simulatorOf(profile)))
 * ```
 */
export const simulatorOf = (profile: ProfileAnswers, options: ProfiledOptions = {}): SimulatorOptions => {
  const { perPoll = 10, seed = 1 } = options
  const site = options.site ?? makeSite({ seed })
  const unknown = valueOf(profile, "jobs.unknown_polls") ?? 0
  const invalid = valueOf(profile, "batch.invalid_urls")
  const isInvalidUrl = (url: string) => invalid !== "none" && invalid !== undefined && !URL.canParse(url)
  const moving = (history: JobHistory): JobHistory => unknownAtFirst(unknown, listed(profile, seed, history))
  const paging = pagingOf(profile)
  return {
    seed,
    site,
    isInvalidUrl,
    crawl: ({ depth, limit }) =>
      moving(
        crawlHistory(site, {
          perPoll,
          ...(limit === undefined ? {} : { limit }),
          ...(depth === undefined ? {} : { depth })
        })
      ),
    batch: ({ urls }) => {
      const asked = valueOf(profile, "batch.duplicates") === false ? [...new Set(urls)] : urls
      return moving(batchHistory(site, asked, { perPoll }, isInvalidUrl))
    },
    extract: () => ({ unknownPolls: unknown }),
    listLag: valueOf(profile, "lists.lag_reads") ?? 0,
    listing: listingOf(profile),
    ...(paging === undefined ? {} : { paging }),
    faults: faultsOf(profile),
    misbehave: misbehavioursOf(profile),
    behaves: behaviourOf(profile)
  }
}

const orders: Readonly<Record<ValueOf<"results.order">, ListOrder>> = {
  "at the end": "steady",
  "at the front": "newest-first",
  "in between": "inserted",
  changing: "flipping"
}

const listed = (profile: ProfileAnswers, seed: number, history: JobHistory): JobHistory => {
  const order = orders[valueOf(profile, "results.order") ?? "at the end"]
  const repeated = valueOf(profile, "results.repeated_rows") === true ? 1 : 0
  const ordered = reordering({ seed, order, repeated }, history)
  return valueOf(profile, "results.pending_rows") === false ? mapStates(ordered, hidePending) : ordered
}

const pagingOf = (profile: ProfileAnswers): Paging | undefined => {
  const page = valueOf(profile, "results.page")
  const size = valueOf(profile, "results.page_size")
  if (page === "ignored") return "ignores page"
  if (page === "counts from 0") return "counts from 0"
  if (typeof size === "object") {
    if ("rows" in size) return { rows: size.rows }
    return "cut_to" in size ? { cutTo: size.cut_to } : { emptyPage: size.empty_page }
  }
  return valueOf(profile, "results.past_end") === "repeated" ? "repeats the last page" : undefined
}

const listingOf = (profile: ProfileAnswers): ReadonlyArray<Listing> => {
  const is = <Q extends QuestionId>(id: Q, value: ValueOf<Q>) => valueOf(profile, id) === value
  const ways: ReadonlyArray<readonly [boolean, Listing]> = [
    [is("lists.shows_jobs", false), "shows none"],
    [is("lists.page", "ignored"), "ignores page"],
    [is("lists.page_count", "too small"), "one page"],
    [is("lists.dates", "ignored"), "ignores dates"],
    [is("lists.status", "ignored"), "ignores status"],
    [is("lists.order", "oldest first"), "oldest first"],
    [is("lists.past_end", "repeated") && !is("lists.page", "ignored"), "repeats the last page"]
  ]
  return ways.flatMap(([so, name]) => (so ? [name] : []))
}

/** One throttled read shows the form of `Retry-After`. */
const faultsOf = (profile: ProfileAnswers): ReadonlyArray<FaultRule> => {
  const form = valueOf(profile, "rates.retry_after")
  if (form === undefined) return []
  const retryAfter = form === "absent" ? {} : { retryAfter: { as: form, seconds: 0 } }
  return [{ method: "GET", path: "/v1/", nth: [7], fault: { _tag: "Status", status: 429, ...retryAfter } }]
}

const misbehavioursOf = (profile: ProfileAnswers): ReadonlyArray<MisbehaviourName> => {
  const map = { links: undefined, warning: "map-warns", nothing: "map-finds-nothing", failure: "map-fails" } as const
  const answer = valueOf(profile, "map.answer")
  const ofMap = answer === undefined ? undefined : map[answer]
  return [
    ...(ofMap === undefined ? [] : [ofMap]),
    ...(valueOf(profile, "extract.async_answer") === "page" ? (["page-at-once"] as const) : []),
    ...(valueOf(profile, "batch.invalid_urls") === "objects" ? (["invalid-urls-as-objects"] as const) : []),
    ...(valueOf(profile, "crawl.seed_depth") === 0 ? (["depth-from-zero"] as const) : [])
  ]
}

const refusalsOf: ReadonlyArray<readonly [QuestionId & `${"errors" | "cancel"}.${string}`, RefusalName]> = [
  ["errors.wrong_key", "wrong key"],
  ["errors.unknown_job", "unknown job"],
  ["errors.malformed_id", "malformed id"],
  ["errors.empty_request", "empty request"],
  ["cancel.ended", "cancellation"]
]

const bodies: Readonly<Record<ErrorShape["body"], ErrorBody>> = {
  envelope: "envelope",
  validation: "validation",
  search: "search",
  empty: "empty",
  html: "html",
  json: "search",
  text: "html"
}

/** Only refusals are worded: a request that was accepted is none. */
const refusals = (profile: ProfileAnswers): NonNullable<Behaviour["refusals"]> =>
  Object.fromEntries(
    refusalsOf.flatMap(([id, name]) => {
      const shape = valueOf(profile, id)
      return typeof shape === "object" && "status" in shape && shape.status >= 400
        ? [[name, { status: shape.status, body: bodies[shape.body] }]]
        : []
    })
  )

const isFormat = (format: string): format is OutputFormat => format === "markdown" || format === "html"

const behaviourOf = (profile: ProfileAnswers): Behaviour => {
  const get = <Q extends QuestionId>(id: Q) => valueOf(profile, id)
  const formats = Object.fromEntries(
    (["extract", "batch", "crawl"] as const).flatMap((kind) => {
      const told = get(`${kind}.default_formats`)
      return told === undefined ? [] : [[kind, told.filter(isFormat)]]
    })
  )
  const mapTokens = get("map.tokens")
  const pageSizes = get("lists.default_page_size")
  const urlFilter = get("extract.url_filter")
  const oversizeLists = get("lists.page_size_over_100")
  const emptyPageCount = get("lists.empty_page_count")
  const accepts = get("auth.accepted")
  return {
    ...(accepts === undefined ? {} : { accepts }),
    refusals: refusals(profile),
    headers: Object.fromEntries((get("rates.headers") ?? []).map((name) => [name, "1"])),
    defaultFormats: formats,
    ...(mapTokens === undefined ? {} : { mapTokens }),
    listsMaps: get("map.listed") ?? true,
    listsSyncExtractions: get("extract.sync_listed") ?? true,
    ...(urlFilter === undefined ? {} : { urlFilter }),
    refusesInvalidUrls: get("batch.invalid_urls") === "request refused",
    ...(pageSizes === undefined ? {} : { pageSizes }),
    ...(oversizeLists === undefined ? {} : { oversizeLists }),
    oversizeResults: get("results.page_size_over_50") ?? "refused",
    refusesPastList: get("lists.past_end") === "refused",
    refusesPastResults: get("results.past_end") === "refused",
    ...(emptyPageCount === undefined ? {} : { emptyPageCount }),
    rules: rulesOf(profile)
  }
}
