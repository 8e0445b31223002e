import { isDeepStrictEqual } from "node:util"
import type { ChargeLedger } from "@sluice/testkit"
import { type Books, tornIn, untrue } from "./Books.ts"
import { letterLine, pageLine, type Work } from "./Work.ts"

/** Two sides compared: nothing is wrong when the list is empty. */
export interface Finding {
  readonly duplicates: number
  readonly lost: number
  readonly wrong: ReadonlyArray<string>
}

/** Compares what was asked for, what the API has charged, and what our books say once a run is over. */
export const judge = (work: Work, chargeLedger: Books, charges: ChargeLedger): Finding => {
  const standing = chargeLedger.pages.map(({ input_index, links, url }) => pageLine(url, input_index, links))
  const lost = missing(work.pages, standing)
  const extra = missing(standing, work.pages)
  const letters = chargeLedger.letters.map(({ reason, url }) => letterLine(url, reason))
  const poison = work.letters ?? []
  const [run] = chargeLedger.runs
  const summaries = work.submissions + (work.withRefused ?? 0)
  const known = new Set(chargeLedger.submitted)
  return {
    duplicates: extra.length,
    lost: lost.length,
    wrong: [
      ...untrue([
        [chargeLedger.runs.length === 1 && run?.status === "completed", `runs: ${JSON.stringify(chargeLedger.runs)}`],
        [charges.jobs.length === work.submissions, `${charges.jobs.length} jobs were charged, not ${work.submissions}`],
        [
          known.size === work.submissions && charges.jobs.every(({ jobId }) => known.has(jobId)),
          `${known.size} of ${charges.jobs.length} jobs are in the ledger`
        ],
        [charges.tokens === work.tokens, `${charges.tokens} tokens were charged, not ${work.tokens}`],
        [
          chargeLedger.tokens === charges.tokens,
          `the ledger counts ${chargeLedger.tokens} tokens, the API ${charges.tokens}`
        ],
        [run?.charged === charges.tokens, `the receipt counts ${run?.charged} tokens, the API ${charges.tokens}`],
        [lost.length === 0, `lost: ${lost.slice(0, 3).join("; ")}`],
        [extra.length === 0, `too many: ${extra.slice(0, 3).join("; ")}`],
        [missing(poison, letters).length === 0, `not set aside: ${missing(poison, letters).slice(0, 3).join("; ")}`],
        [missing(letters, poison).length === 0, `set aside: ${missing(letters, poison).slice(0, 3).join("; ")}`],
        [run?.delivered === work.pages.length + poison.length, `the receipt counts ${run?.delivered} delivered pages`],
        [
          chargeLedger.standing.token_summaries === summaries,
          `${chargeLedger.standing.token_summaries} token summaries`
        ],
        [
          isDeepStrictEqual(run?.rows, chargeLedger.standing),
          `the receipt counts ${JSON.stringify(run?.rows)}, the tables ${JSON.stringify(chargeLedger.standing)}`
        ]
      ]),
      ...tornIn(chargeLedger)
    ]
  }
}

/** Members of the first list beyond those of the second, each counted as often as it stands there. */
const missing = (wanted: ReadonlyArray<string>, given: ReadonlyArray<string>): ReadonlyArray<string> => {
  const left = new Map<string, number>()
  for (const each of given) left.set(each, (left.get(each) ?? 0) + 1)
  return wanted.filter((each) => {
    const count = left.get(each) ?? 0
    left.set(each, count - 1)
    return count <= 0
  })
}
