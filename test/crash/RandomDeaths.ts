import { makeRng, roll } from "@sluice/testkit"
import { Effect } from "effect"
import { tornIn } from "./Books.ts"
import { makeDeath } from "./Death.ts"
import { type Kind, workOf } from "./Work.ts"
import { openWorkplace } from "./Workplace.ts"

/** A run whose processes die one after the other. */
export interface RandomDeaths {
  readonly kind: Kind
  readonly seed: number
}

/** What came of it. */
export interface Survival extends RandomDeaths {
  readonly deaths: number
  readonly attempts: number
  readonly wrong: ReadonlyArray<string>
}

/** How a process dies at a request: before it has any effect, while it has it, or a little after its answer. */
const ways = ["request lost", "answer lost", "later"] as const

/** Processes that are to die before one is left alone. */
const doomed = 6
/** The last request of its own that a process may reach, by what a run of the kind takes in all. */
const lastRequest: Record<Kind, number> = { crawl: 9, batch: 14, extract: 40 }
/** The longest a process lives on after the request it dies of, in milliseconds. */
const longestDelay = 60

/** Kills process after process at requests of the seed, as the API sees them, until the run ends; then compares all books. */
export const surviveDeaths = Effect.fnUntraced(function* (url: string, { kind, seed }: RandomDeaths) {
  const next = makeRng(seed, "deaths", kind)
  const work = workOf(kind, seed)
  const death = makeDeath()
  const workplace = yield* openWorkplace({
    work,
    url,
    pipeline: `deaths-of-${kind}-${seed}`,
    simulator: { onRequest: death.onRequest }
  })
  const { faults } = workplace.simulator
  const wrong: Array<string> = []
  let deaths = 0
  let attempts = 0
  while (attempts < doomed && !(yield* workplace.isOver)) {
    const way = ways[roll(next, ways.length)]
    const nth = 1 + roll(next, lastRequest[kind])
    faults.clear()
    if (way === "request lost") faults.add({ fault: { _tag: "Reset" }, nth: [nth] })
    const delay = way === "later" ? 1 + roll(next, longestDelay) : 0
    const end = yield* death.await(workplace.begin(), { request: nth, delay })
    attempts++
    if (end.signal === "SIGKILL") deaths++
    else if (end.code !== 0) wrong.push(`attempt ${attempts} ended with ${end.code}: ${end.stderr.slice(-400)}`)
    wrong.push(...tornIn(yield* workplace.books).map((what) => `after death ${deaths}: ${what}`))
  }
  faults.clear()
  const further = yield* workplace.finish()
  const finding = yield* workplace.finding
  const survival: Survival = {
    kind,
    seed,
    deaths,
    attempts: attempts + further.length,
    wrong: [...wrong, ...finding.wrong]
  }
  return survival
}, Effect.scoped)
