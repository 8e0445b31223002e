import type { Answers } from "./Answers.ts"
import type { Cassette } from "./Cassette.ts"
import type { ProbeClient } from "./ProbeClient.ts"
import type { ProbeLog, Step } from "./ProbeLog.ts"
import type { ProbeOptions } from "./ProbeOptions.ts"
import type { Spend } from "./Spend.ts"

/** The kinds of job that can be listed. */
export type JobListKind = "crawl" | "batch" | "extract" | "map"

/** A job that a probe has made and not seen ended. */
export interface OpenJob {
  readonly kind: JobListKind
  readonly jobId: string
  /** Found in the list instead of told: it may be somebody else's, so it is read and never cancelled. */
  readonly adopted: boolean
}

/** What the steps of one probe share. */
export interface Session {
  readonly options: ProbeOptions
  readonly client: ProbeClient
  readonly log: ProbeLog["Service"]
  readonly cassette: Cassette
  readonly spend: Spend
  readonly answers: Answers
  readonly open: Map<Step, OpenJob>
  /** Words for states, as jobs and pages have them. */
  readonly states: Set<string>
  /** What went otherwise than it should: sentences for the report. */
  readonly notes: Array<string>
  /** Whether something was paid for that says nothing: a submission lost, a job that did not end or cost too much. */
  hasTrouble: boolean
  /** Set once the API has refused for lack of balance: nothing more is submitted. */
  outOfBalance: boolean
}
