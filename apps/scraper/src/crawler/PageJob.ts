import { Schema } from "effect"
import { jobFields } from "../jobs/Job.ts"
import { announceField } from "../webhooks/WebhookEvents.ts"
import type { PageRow } from "./PageLog.ts"
import type { JobPage } from "./PageState.ts"

/** The manifest of a job of many pages. The counters are those of the last time it was written: right once it has ended. */
export const pageJob = <Spec extends Schema.Top>(spec: Spec) =>
  Schema.Struct({
    ...jobFields,
    ...announceField,
    spec,
    counts: Schema.Struct({
      total: Schema.Int,
      completed: Schema.Int,
      failed: Schema.Int,
      cancelled: Schema.Int
    })
  })
export type PageJob<Spec> = ReturnType<typeof pageJob<Schema.Codec<Spec>>>["Type"]

/** A job with counters of this moment. */
export type PageJobView<Spec> = PageJob<Spec> & { readonly openPages: number }

/** A row of a job; `row` is there once the page has ended. */
export interface PageSlot {
  readonly page: JobPage
  readonly parentUrl: string | null
  readonly row: PageRow | undefined
}
