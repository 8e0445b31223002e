import { Effect } from "effect"
import type { Ledger, RunSummary } from "../../ledger/Ledger.ts"
import type { RunFailure } from "./runStatus.ts"

/** Whether a failure says that another process has taken the run over. */
export const isLostRun = (failure: RunFailure): boolean => {
  if (failure._tag === "LedgerError") return failure.reason._tag === "Fenced"
  return failure._tag === "SourceError" && failure.reason._tag === "LedgerError" && isLostRun(failure.reason)
}

/** What became of a run that another process took over, in a sentence for the process that has lost it. */
export const describeFate = (ledger: Ledger, runId: string): Effect.Effect<string> =>
  Effect.gen(function* () {
    const [found] = yield* ledger.runs({ runId, limit: 1 })
    if (found === undefined) return sentence("the ledger holds it no more")
    if (found.receipt !== null) return sentence(endOf(found))
    const open = yield* ledger.open({ runId })
    return open === undefined || open.holder === null
      ? sentence(`it is open (${found.status}), and the next run of the pipeline resumes it`)
      : sentence(`${open.holder} carries it out`)
  }).pipe(Effect.orElseSucceed(() => sentence('"sluice runs" shows what became of it')))

const sentence = (fate: string): string =>
  `another process took this run over (${fate}); this one stops without writing`

const endOf = ({ publishedAt, receipt, status }: RunSummary): string => {
  const reason = receipt?.reason === undefined ? "" : `: ${receipt.reason}`
  return `it ended as ${status}${reason}${publishedAt === null ? "" : ", and was published after all"}`
}
