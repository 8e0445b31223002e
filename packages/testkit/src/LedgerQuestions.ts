import { assert } from "@effect/vitest"
import type { Ledger } from "@sluice/core"
import type { JobSnapshot, LedgerError } from "@sluice/core/sink"
import { Effect, Result, Stream } from "effect"
import type { Answer, LedgerModel, ModelRejection } from "./LedgerModel.ts"

/** One call of a ledger, and what the model answers to it. */
export interface Call<A> {
  readonly asked: Effect.Effect<A, LedgerError>
  readonly expected: Answer<A>
}

/** Makes the call and holds what comes of it against the model. */
export const compare = <A>({ asked, expected }: Call<A>): Effect.Effect<void> =>
  Effect.map(Effect.result(asked), (answer) => {
    assert.deepStrictEqual(told(Result.mapError(answer, refusalOf)), told(expected))
  })

/** As plain data, which a difference is printed of. */
const told = <A>(answer: Answer<A>) =>
  Result.isSuccess(answer) ? { answer: answer.success } : { refusal: answer.failure }

const refusalOf = ({ reason }: LedgerError): ModelRejection => {
  switch (reason._tag) {
    case "Fenced":
      return { _tag: reason._tag, epoch: reason.epoch, current: reason.current }
    case "LeaseHeld":
      return { _tag: reason._tag, runId: reason.runId, holder: reason.holder }
    case "UnknownRun":
      return { _tag: reason._tag, runId: reason.runId }
    case "EndedUnpublished":
    case "RunExists":
    case "NotEnded":
    case "SubmissionsLost":
    case "LedgerUnavailable":
      return assert.fail(`the ledger could not be reached: ${reason._tag}`)
  }
}

/** The earliest a run of this model begins; earlier runs belong to other models of the same ledger. */
export const startOf = ({ generation }: Pick<LedgerModel, "generation">): number =>
  1_750_000_000_000 + generation * 1000

/** The questions a ledger answers about its runs, as calls. */
export const questions = {
  open: (model: LedgerModel, ledger: Ledger, which: { readonly pipeline: string } | { readonly runId: string }) => ({
    asked: Effect.map(ledger.open(which), (open) => {
      if (open === undefined || open.startedAt < startOf(model)) return undefined
      const { leaseLeftMs, ...rest } = open
      return { ...rest, isHeld: leaseLeftMs > 0 }
    }),
    expected: Result.succeed(model.open(which))
  }),
  submissions: (model: LedgerModel, ledger: Ledger, runId: string) => ({
    asked: Stream.runCollect(ledger.submissions(runId)),
    expected: Result.succeed(model.submissions(runId))
  }),
  committed: (model: LedgerModel, ledger: Ledger, runId: string, sink: string) => ({
    asked: Stream.runCollect(ledger.committed(runId, sink)),
    expected: Result.succeed(model.committed(runId, sink))
  }),
  state: (model: LedgerModel, ledger: Ledger, runId: string) => {
    const inOrder = <S extends { readonly jobs: ReadonlyArray<JobSnapshot> }>(state: S) => ({
      ...state,
      jobs: state.jobs.toSorted((a, b) => (a.jobId < b.jobId ? -1 : 1))
    })
    return {
      asked: Effect.map(ledger.state(runId), inOrder),
      expected: Result.map(model.state(runId), inOrder)
    }
  },
  runs: (model: LedgerModel, ledger: Ledger, options: { readonly pipeline?: string; readonly limit: number }) => ({
    asked: Effect.map(ledger.runs(options), (runs) => runs.filter(({ startedAt }) => startedAt >= startOf(model))),
    expected: Result.succeed(model.list(options))
  }),
  spent: (model: LedgerModel, ledger: Ledger, which: Parameters<Ledger["spent"]>[0]) => ({
    asked: ledger.spent({ ...which, from: Math.max(startOf(model), which.from ?? 0) }),
    expected: Result.succeed(model.spent(which))
  }),
  knows: (model: LedgerModel, ledger: Ledger, jobIds: ReadonlyArray<string>) => ({
    asked: Effect.map(ledger.findKnown(jobIds), (known) => [...known].toSorted()),
    expected: Result.succeed([...model.knows(jobIds)].toSorted())
  })
} as const

/** Asks everything about every run. */
export const compareAll = (model: LedgerModel, ledger: Ledger): Effect.Effect<void> =>
  Effect.forEach(model.runs, ({ runId, submissions }) =>
    Effect.all([
      compare(questions.open(model, ledger, { runId })),
      compare(questions.submissions(model, ledger, runId)),
      compare(questions.committed(model, ledger, runId, "s")),
      compare(questions.committed(model, ledger, runId, "t")),
      compare(questions.state(model, ledger, runId)),
      compare(
        questions.knows(
          model,
          ledger,
          [...submissions.values()].map(({ jobId }) => jobId ?? "none")
        )
      )
    ])
  ).pipe(
    Effect.andThen(compare(questions.runs(model, ledger, { limit: model.runs.length + 1 }))),
    Effect.andThen(compare(questions.spent(model, ledger, { pipeline: "p", exceptRun: "none" }))),
    Effect.asVoid
  )
