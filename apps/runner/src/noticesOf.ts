import type { Ledger, Receipt } from "@sluice/core"
import type { NoticeDraft } from "@sluice/core/sink"
import { Effect, Option } from "effect"
import { type NoticeEvent, type NotifySettings, type NotifyTarget, nameOf, troubles } from "./NotifySettings.ts"
import { millisOf } from "./TimeSpan.ts"

/** What is to be told of a run, to whom. A ledger that cannot be asked has nothing to recover from. */
export const noticesOf = (
  targets: NotifySettings,
  receipt: Receipt,
  ledger: Ledger
): Effect.Effect<ReadonlyArray<NoticeDraft>> =>
  Effect.map(receipt.status === "completed" ? isRecovery(receipt, ledger) : Effect.succeed(false), (isRecovered) =>
    targets.flatMap((target) =>
      eventsFor(target, receipt, isRecovered).map((event) => ({ target: nameOf(target), event, receipt }))
    )
  )

/** The events of a run that an entry asks for. */
export const eventsFor = (
  { longer_than: longerThan, on = [...troubles, "recovered"], quarantine_share: share }: NotifyTarget,
  receipt: Receipt,
  isRecovered: boolean
): ReadonlyArray<NoticeEvent> => {
  const trouble = troubles.find((status) => status === receipt.status)
  const millis = Date.parse(receipt.finished_at) - Date.parse(receipt.started_at)
  // An interrupted run is resumed: nothing is known of it yet.
  const hasEnded = receipt.status !== "interrupted"
  const isQuarantined = receipt.sinks.some(
    ({ dead_letters: dead, rows }) => dead > 0 && share !== undefined && dead > share * (rows.pages + dead)
  )
  return [
    ...(trouble !== undefined && on.includes(trouble) ? [trouble] : []),
    ...(isRecovered && on.includes("recovered") ? ["recovered" as const] : []),
    ...(hasEnded && isQuarantined ? ["quarantine" as const] : []),
    ...(hasEnded && longerThan !== undefined && millis > millisOf(longerThan) ? ["slow" as const] : [])
  ]
}

/** Whether the run before, or the attempt before, did not complete. */
const isRecovery = (receipt: Receipt, ledger: Ledger): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const last = yield* ledger.outbox?.lastEvent(receipt.pipeline) ?? Effect.succeed(undefined)
    if (troubles.some((event) => event === last)) return true
    const runs = yield* ledger.runs({ pipeline: receipt.pipeline, limit: 2 })
    const before = runs.find(({ runId }) => runId !== receipt.run_id)
    return before !== undefined && troubles.some((status) => status === before.status)
  }).pipe(
    Effect.option,
    Effect.map((found) => Option.getOrElse(found, () => false))
  )
