import { isDeepStrictEqual } from "node:util"
import { Effect } from "effect"
import { untrue } from "../Books.ts"
import type { Scene, ScenePlace } from "./Scene.ts"

const times = <A>(some: ReadonlyArray<A>, count: number): ReadonlyArray<A> =>
  Array.from({ length: count }, () => some).flat()

/** What readers of a place should not see while runs of it go on: a part of one. `over` is how many have ended. */
export const halfShown = Effect.fnUntraced(function* ({ lake, work }: Scene, place: ScenePlace, over: number) {
  const wanted = [...work.pages].sort()
  const { pages, runs } = yield* place.view
  const isReplace = lake.mode === "replace"
  const chargeLedger = yield* place.books
  const whole = isReplace ? Math.min(1, runs.length) : runs.length
  return untrue([
    [
      isDeepStrictEqual(pages, [...times(wanted, whole)].sort()),
      `the lake shows ${pages.length} pages of ${runs.length} runs`
    ],
    [runs.length >= (isReplace ? Math.min(1, over) : over), `the lake shows ${runs.length} runs, and ${over} are over`],
    [
      !isReplace || chargeLedger.pages.length === 0 || isDeepStrictEqual(chargeLedger.pages, wanted),
      `the tables show ${chargeLedger.pages.length} of ${wanted.length} pages`
    ],
    [
      chargeLedger.pages.length <= wanted.length * chargeLedger.runs.length,
      `the tables show ${chargeLedger.pages.length} pages`
    ]
  ])
})

/** Compares what a place shows once so many runs are over with the site, and its ledger with the books of the API. */
export const judgePlace = Effect.fnUntraced(function* (
  { lake, simulator: { charges }, work }: Scene,
  place: ScenePlace,
  count: number
) {
  const chargeLedger = yield* place.books
  const view = yield* place.view
  const shown = lake.mode === "replace" ? 1 : count
  const wanted = [...times(work.pages, shown)].sort()
  const submitted = chargeLedger.runs.flatMap(({ submitted }) => submitted)
  const wrong = untrue([
    [chargeLedger.runs.length === count, `the ledger holds ${chargeLedger.runs.length} runs`],
    [
      chargeLedger.runs.every(({ receipt, status }) => status === "completed" && receipt?.status === "completed"),
      `runs ended ${chargeLedger.runs.map(({ receipt, status }) => `${status}: ${receipt?.reason}`).join(", ")}`
    ],
    [
      isDeepStrictEqual(chargeLedger.pages, wanted),
      `the tables show ${chargeLedger.pages.length} pages, not ${wanted.length}`
    ],
    [isDeepStrictEqual(view.pages, wanted), `the lake shows ${view.pages.length} pages, not ${wanted.length}`],
    [
      isDeepStrictEqual(
        view.runs,
        chargeLedger.runs.slice(-shown).map(({ run_id }) => run_id)
      ),
      `the lake shows runs ${view.runs.join(", ")}`
    ],
    [view.tokens === shown * work.tokens, `the lake counts ${view.tokens} tokens`],
    [charges.jobs.length === count * work.submissions, `${charges.jobs.length} jobs were charged for ${count} runs`],
    [charges.received("POST") === count * work.submissions, `${charges.received("POST")} submissions were made`],
    [charges.tokens === count * work.tokens, `${charges.tokens} tokens were charged`],
    [
      isDeepStrictEqual(submitted.toSorted(), charges.jobs.map(({ jobId }) => jobId).toSorted()),
      `the ledger knows jobs ${submitted.join(", ")}`
    ],
    [
      chargeLedger.runs.every(({ tokens }) => tokens === work.tokens),
      `the ledger counts ${chargeLedger.runs.map(({ tokens }) => tokens)} tokens`
    ]
  ])
  return [...wrong, ...chargeLedger.runs.flatMap(({ receipt }) => (receipt === null ? [] : unlike(receipt, work)))]
})

type Ended = NonNullable<Effect.Success<ScenePlace["books"]>["runs"][number]["receipt"]>

const unlike = ({ pages, sinks, tokens }: Ended, work: Scene["work"]) => {
  const [one, two] = sinks.map(({ rows }) => rows)
  return untrue([
    [
      isDeepStrictEqual(
        sinks.map(({ name }) => name),
        ["postgres", "lake"]
      ),
      `the receipt names ${sinks.map(({ name }) => name)}`
    ],
    [isDeepStrictEqual(one, two), `the receipt counts ${JSON.stringify(one)} and ${JSON.stringify(two)}`],
    [one?.pages === work.pages.length, `the receipt counts ${one?.pages} rows of pages`],
    [one?.token_summaries === work.submissions, `the receipt counts ${one?.token_summaries} summaries`],
    [pages.delivered === work.pages.length, `the receipt counts ${pages.delivered} delivered pages`],
    [tokens.charged === work.tokens, `the receipt counts ${tokens.charged} tokens`]
  ])
}

/** What a spool still holds of runs that are over. */
export const judgeSpool = Effect.fnUntraced(function* ({ keptFiles }: Scene, deaths: number) {
  const left = yield* keptFiles
  // A file that was being written when its process died has no name yet.
  const kept = left.filter((path) => !path.startsWith("/_sluice/staging/"))
  return untrue([
    [kept.length === 0, `the spool still holds ${kept.slice(0, 3).join(", ")}`],
    [left.length - kept.length <= deaths, `${left.length} files were left half written`]
  ])
})

/** What is wrong with what was kept of runs that are over: a spool holds nothing, a vault all of them. */
export const judgeKept = Effect.fnUntraced(function* (scene: Scene, count: number, deaths: number) {
  if (scene.keeping === "spool") {
    yield* scene.sweep
    return yield* judgeSpool(scene, deaths)
  }
  const { pages, requests, runs } = yield* scene.replayed
  const wanted = [...times(scene.work.pages, count)].sort()
  return untrue([
    [runs.length === count && runs.every(({ result }) => result === "loaded"), `replayed: ${JSON.stringify(runs)}`],
    [isDeepStrictEqual(pages, wanted), `the vault gives ${pages.length} pages, not ${wanted.length}`],
    [requests === 0, `a replay made ${requests} requests`]
  ])
})

/** What a collection of garbage leaves in a lake, or takes of it, that it should not. */
export const judgeGarbage = Effect.fnUntraced(function* ({ view, orphans }: ScenePlace) {
  const before = yield* view
  const { left, missing } = yield* orphans
  return untrue([
    [left.length === 0, `the collection left ${left.slice(0, 3).join(", ")}`],
    [missing.length === 0, `the collection took ${missing.slice(0, 3).join(", ")}`],
    [isDeepStrictEqual(yield* view, before), "readers see something else after the collection"]
  ])
})
