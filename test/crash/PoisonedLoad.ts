import { Postgres } from "@sluice/sink-postgres"
import { makeRng, roll } from "@sluice/testkit"
import { Effect } from "effect"
import { tornIn } from "./Books.ts"
import { makeDeath } from "./Death.ts"
import { narrowIndex, type PoisonedSize, poisonedWork } from "./poison.ts"
import { openWorkplace } from "./Workplace.ts"

/** A load with poison in it, whose processes are killed. */
export interface PoisonedLoad extends PoisonedSize {
  readonly seed: number
  readonly kills: number
}

/** What came of it, and what came of its letters when they were loaded again. */
export interface PoisonedOutcome {
  readonly deaths: number
  readonly rows: number
  readonly letters: number
  readonly duplicates: number
  readonly wrong: ReadonlyArray<string>
  readonly replayed: Postgres.Replay
}

const pagesOfSlice = 50
/** The longest a process lives on after the request it dies of, in milliseconds. */
const longestDelay = 60
/** Beyond this many pages the books are compared at the end alone. */
const fewPages = 20_000

/** Loads into a database that takes no long URL, killing process after process, then compares all books and replays the letters. */
export const loadPoisoned = Effect.fnUntraced(function* (url: string, load: PoisonedLoad) {
  const { kills, pages, seed } = load
  const next = makeRng(seed, "poisoned deaths")
  const work = poisonedWork(seed, load)
  const pipeline = `poisoned-${seed}`
  const database = yield* Postgres.open({ url })
  yield* Postgres.migrate(database)
  yield* database.query(narrowIndex)
  const death = makeDeath()
  const workplace = yield* openWorkplace({
    work,
    url,
    pipeline,
    environment: { MODE: "merge", SEGMENT_RECORDS: pages > fewPages ? "1000" : "100" },
    longestLife: "20 minutes",
    simulator: { onRequest: death.onRequest }
  })
  const wrong: Array<string> = []
  // Of what a life reads a part lands: some die early, and what is on its way into a segment dies with it.
  const share = Math.ceil((3 * pages) / pagesOfSlice / (kills + 1))
  let deaths = 0
  for (let attempt = 0; attempt < kills && !(yield* workplace.isOver); attempt++) {
    const [held] = yield* database.query("SELECT coalesce(sum(pages + dead_letters), 0)::int AS pages FROM segments")
    // What stands is read again first. One in four dies of that.
    const standing = Math.ceil(Number(held?.pages) / pagesOfSlice)
    const request = roll(next, 4) === 0 ? 1 + roll(next, standing + 1) : standing + 2 + roll(next, share)
    const end = yield* death.await(workplace.begin(), { request, delay: roll(next, longestDelay) })
    if (end.signal === "SIGKILL") deaths++
    else if (end.code !== 0) wrong.push(`attempt ${attempt} ended with ${end.code}: ${end.stderr.slice(-400)}`)
    if (pages <= fewPages) wrong.push(...tornIn(yield* workplace.books).map((what) => `after death ${deaths}: ${what}`))
  }
  const further = yield* workplace.finish()
  if (further.at(-1) !== undefined && further.at(-1)?.code !== 0) wrong.push(further.at(-1)!.stderr.slice(-400))
  const finding = yield* workplace.finding
  const { letters, standing } = yield* workplace.books
  yield* database.query("DROP INDEX narrow")
  const outcome: PoisonedOutcome = {
    deaths,
    rows: standing.pages + standing.links + standing.page_metadata + standing.token_summaries,
    letters: letters.length,
    duplicates: finding.duplicates,
    wrong: [...wrong, ...finding.wrong],
    replayed: yield* Postgres.deadLetters(database).replay({ pipeline }, { replace: true })
  }
  return outcome
}, Effect.scoped)
