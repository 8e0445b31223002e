import { JobError } from "@sluice/contract"
import { Schema } from "effect"
import { jobFields } from "../jobs/Job.ts"
import { announceField } from "../webhooks/WebhookEvents.ts"
import { ExtractFacts, ExtractSpec } from "./Extractor.ts"

/** The manifest of an asynchronous extraction; its content is a file beside it. */
export const ExtractJob = Schema.Struct({
  ...jobFields,
  ...announceField,
  spec: ExtractSpec,
  facts: Schema.NullOr(ExtractFacts),
  error: Schema.NullOr(JobError)
})
export type ExtractJob = typeof ExtractJob.Type
