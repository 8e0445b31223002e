import type { Duration } from "effect"
import type { ProbeClientOptions } from "./ProbeClient.ts"

/** What a probe is asked to do. */
export interface ProbeOptions extends ProbeClientOptions {
  /** The page that is extracted and crawled: a site of one's own, with a few pages. */
  readonly target: string
  /** Tokens it may be charged at most. */
  readonly tokens: number
  /** The longest pause between polls of a job, */
  readonly pollEvery: Duration.Input
  /** and how long a job may take before it is cancelled. */
  readonly jobDeadline: Duration.Input
  /** How long a new job may be unknown. */
  readonly unknownFor: Duration.Input
  /** Reads of a job list until a new job is in it, and the pause between them. */
  readonly lagReads: number
  readonly lagPause: Duration.Input
  /** How long after a submission whose answer was lost the lists may still miss its job. */
  readonly recoverFor: Duration.Input
  /** Reads at once, by which it is seen whether the API throttles. */
  readonly burst: number
}

/** The fewest tokens with which everything is asked. */
export const leastTokens = 10

/** What {@link ProbeOptions} default to. */
export const probeDefaults = {
  tokens: leastTokens,
  auth: "x-api-key",
  attemptTimeout: "60 seconds",
  retryWithin: "1 minute",
  retries: 8,
  retryBase: "250 millis",
  pollEvery: "1 second",
  jobDeadline: "3 minutes",
  unknownFor: "30 seconds",
  lagReads: 40,
  lagPause: "500 millis",
  recoverFor: "30 seconds",
  burst: 20
} as const

/** What each step may cost at most, in tokens. The crawl takes what the bound leaves, and at least three. */
export const allotments = {
  "refused request": 0,
  "extraction at once": 1,
  "extraction as a job": 1,
  batch: 3,
  map: 1,
  "cancelled crawl": 1
} as const
