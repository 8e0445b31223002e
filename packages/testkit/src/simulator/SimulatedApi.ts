import type { BatchRequest, CrawlRequest, ExtractRequest, MapRequest } from "@sluice/contract"
import { Context, type Effect, type Schema } from "effect"
import type { Behaviour } from "./Behaviour.ts"
import type { ChargeLedger, ReceivedRequest } from "./ChargeLedger.ts"
import type { FaultPlan, FaultRule } from "./Faults.ts"
import type { JobHistory } from "./JobHistory.ts"
import type { JobStore } from "./JobStore.ts"
import type { Listings } from "./Listing.ts"
import type { MisbehaviourName } from "./Misbehaviours.ts"
import type { Paging } from "./Paging.ts"
import type { SentItem } from "./reshaped.ts"
import type { PageEnding, SiteModel } from "./SiteModel.ts"

/** How the simulated API behaves. Nothing in it is left to chance but what `seed` decides. */
export interface SimulatorOptions {
  /** Decides ids, site and faults of a probability. */
  readonly seed?: number
  /** The only key that is let in, as `X-Api-Key` or as a bearer token. */
  readonly apiKey?: string
  /** What pages hold; without it a site of 25 pages. */
  readonly site?: SiteModel
  /** What becomes of the n-th crawl, counted from 0; without it, the site is crawled page after page. */
  readonly crawl?: (request: CrawlRequest, n: number) => JobHistory
  /** What becomes of the n-th batch; the rows need their `inputIndex`. */
  readonly batch?: (request: BatchRequest, n: number) => JobHistory
  /** How many polls an asynchronous extraction takes, and how it ends where the site has no say. */
  readonly extract?: (request: ExtractRequest, n: number) => ExtractPlan
  /** URLs a map finds; without it those of the site. */
  readonly map?: (request: MapRequest) => ReadonlyArray<string>
  /** Which URLs a batch refuses. */
  readonly isInvalidUrl?: (url: string) => boolean
  readonly faults?: ReadonlyArray<FaultRule>
  /** What becomes of each result of a crawl or a batch as it is sent: members of the wrong type, members nobody knows. */
  readonly reshape?: (item: SentItem) => Schema.Json
  /** What the API does that the contract does not say, by name, for as long as it runs. */
  readonly misbehave?: ReadonlyArray<MisbehaviourName>
  /** What it does differently where the contract leaves it open. */
  readonly behaves?: Behaviour
  /** Run as a request arrives, before it has any effect: what it does to the client, it does in the middle of this request. */
  readonly onRequest?: (request: ReceivedRequest) => Effect.Effect<void>
  /** Reads of a job list that do not show a job yet, counted from its creation. */
  readonly listLag?: number
  /** How job lists go wrong. */
  readonly listing?: Listings
  /** How the slices of crawls and batches go wrong. */
  readonly paging?: Paging
  /** Tokens the account has: a submission when all are charged or reserved is answered with 402. */
  readonly balance?: number
  /** What `status_url` begins with; the path alone when absent. */
  readonly statusUrlPrefix?: string
  /** Address to listen on; `127.0.0.1` when absent. */
  readonly host?: string
  /** Port to listen on; a free one when absent. */
  readonly port?: number
}

/** The life of one asynchronous extraction. */
export interface ExtractPlan {
  /** Polls that show it still at work. */
  readonly polls?: number
  /** Polls before them that do not know the job. */
  readonly unknownPolls?: number
  /** Polls after which it is gone. */
  readonly vanishesAfter?: number
  readonly ending?: PageEnding | { readonly status: "cancelled" } | { readonly status: "endless" }
}

/** What the handlers share. */
export class SimulatedApi extends Context.Service<
  SimulatedApi,
  {
    readonly options: SimulatorOptions & { readonly seed: number; readonly apiKey: string; readonly site: SiteModel }
    readonly charges: ChargeLedger
    readonly faults: FaultPlan
    readonly jobs: JobStore
  }
>()("@sluice/testkit/simulator/SimulatedApi") {}
