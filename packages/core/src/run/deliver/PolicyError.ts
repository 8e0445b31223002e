import { Schema } from "effect"

/** The results have members the contract does not know, and the pipeline is to fail of that. */
export class Drifted extends Schema.TaggedError<Drifted>()("Drifted", { members: Schema.Array(Schema.String) }) {}

/** A policy of the pipeline stopped the run while it read. What was loaded stays, and the next run resumes it. */
export class PolicyError extends Schema.TaggedError<PolicyError>()("PolicyError", {
  reason: Drifted
}) {
  override get message(): string {
    return `the API's results have members that are not known here (${this.reason.members.join(", ")}), and the pipeline says "drift: fail"; with "keep" or "ignore" the next run goes on`
  }
}
