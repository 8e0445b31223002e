import { Schema } from "effect"

/** The results have members the contract does not know, and the pipeline is to fail of that. */
export class Drifted extends Schema.TaggedError<Drifted>()("Drifted", { members: Schema.Array(Schema.String) }) {}
/** A sink has set aside more of the run's records than the pipeline lets pass. */
export class TooManySetAside extends Schema.TaggedError<TooManySetAside>()("TooManySetAside", {
  sink: Schema.String,
  setAside: Schema.Int,
  records: Schema.Int,
  maxShare: Schema.Finite
}) {}

/** What a run was given does not stand up to the pipeline's own policies. What landed stays, and so do letters. */
export class PolicyError extends Schema.TaggedError<PolicyError>()("PolicyError", {
  reason: Schema.Union([Drifted, TooManySetAside])
}) {
  override get message(): string {
    const { reason } = this
    return reason._tag === "Drifted"
      ? `the API's results have members that are not known here (${reason.members.join(", ")}), and the pipeline says "drift: fail"; with "keep" or "ignore" the next run goes on`
      : `sink "${reason.sink}" has set aside ${reason.setAside} of ${reason.records} records, more than the share of ${reason.maxShare} that "quarantine" allows; they are kept as dead letters`
  }
}
