import { Effect } from "effect"
import { tornIn } from "./Books.ts"
import { isRecurring, type Point } from "./points.ts"
import { type Kind, workOf } from "./Work.ts"
import { openWorkplace } from "./Workplace.ts"

/** A process to kill once, and what it works on. */
export interface CrashCase {
  readonly kind: Kind
  readonly point: Point
  readonly seed: number
}

/** What came of a case, to be compared with what the other side knows. */
export interface CrashVerdict extends CrashCase {
  readonly killed: boolean
  readonly attempts: number
  readonly submissions: number
  readonly jobs: number
  readonly posts: number
  readonly pages: number
  readonly duplicates: number
  readonly lost: number
  readonly wrong: ReadonlyArray<string>
}

/** Carries a run out in a process that is killed at a point, resumes it until it ends, and compares all books. */
export const runCrashCase = Effect.fnUntraced(function* (url: string, { kind, point, seed }: CrashCase) {
  const work = workOf(kind, seed)
  const pipeline = `${kind}-${point.replaceAll(/[^a-z]+/g, "-")}-${seed}`
  const workplace = yield* openWorkplace({ work, url, pipeline })
  const first = yield* workplace.live({ POINT: point, NTH: `${isRecurring(kind, point) ? 1 + (seed % 3) : 1}` })
  const torn = tornIn(yield* workplace.books)
  const further = yield* workplace.finish()
  const last = further.at(-1) ?? first
  const { charges } = workplace.simulator
  const { duplicates, lost, wrong } = yield* workplace.finding
  const posts = charges.received("POST")
  const verdict: CrashVerdict = {
    kind,
    point,
    seed,
    killed: first.signal === "SIGKILL",
    attempts: 1 + further.length,
    submissions: work.submissions,
    jobs: charges.jobs.length,
    posts,
    pages: (yield* workplace.books).pages.length,
    duplicates,
    lost,
    wrong: [
      ...torn,
      ...wrong,
      ...(posts === work.submissions ? [] : [`${posts} submissions`]),
      ...(last.code === 0 || point === "after end"
        ? []
        : [`the last attempt ended with ${last.code}: ${last.stderr.slice(-400)}`])
    ]
  }
  return verdict
}, Effect.scoped)
