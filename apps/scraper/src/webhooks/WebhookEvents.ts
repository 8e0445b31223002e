import type { WebhookEvent } from "@sluice/contract"
import { Context, Effect, Layer, Schema } from "effect"
import type { Job } from "../jobs/Job.ts"
import type { RecordFolder } from "../jobs/RecordFolder.ts"
import { jobEnded } from "../metrics/Metrics.ts"
import type { StoreError } from "../state/Files.ts"
import { WebhookDeliveries } from "./WebhookDeliveries.ts"
import { Webhooks } from "./Webhooks.ts"

/** The part of a job's manifest that says to which subscriptions its end has still to be told. */
export const announceField = {
  announce: Schema.Array(Schema.String).pipe(Schema.withDecodingDefaultTypeKey(Effect.succeed([])))
}

/** A job whose end can be announced. */
export interface AnnouncedJob extends Job {
  readonly announce: ReadonlyArray<string>
}

/** How the end of the jobs of a kind is announced. */
export interface JobEvent<J extends AnnouncedJob> {
  readonly folder: RecordFolder<J>
  readonly event: typeof WebhookEvent.Type
  /** What is told of a job. */
  readonly data: (job: J) => Effect.Effect<Readonly<Record<string, unknown>>, StoreError>
}

/**
 * Tells of the ends of jobs. Whom to tell is written together with the end itself, so that a server that is killed in
 * between tells after its restart.
 */
export class WebhookEvents extends Context.Service<
  WebhookEvents,
  {
    /** Writes the end of a job and tells of it. Fails if the end could not be written. */
    readonly end: <J extends AnnouncedJob>(kind: JobEvent<J>, job: J) => Effect.Effect<void, StoreError>
    /** Tells of an end that is written, if it was not told to all. What fails here is tried again after a restart. */
    readonly resume: <J extends AnnouncedJob>(kind: JobEvent<J>, job: J) => Effect.Effect<void>
  }
>()("@sluice/scraper/webhooks/WebhookEvents") {
  static readonly layer: Layer.Layer<WebhookEvents, never, WebhookDeliveries | Webhooks> = Layer.effect(
    this,
    Effect.gen(function* () {
      const webhooks = yield* Webhooks
      const deliveries = yield* WebhookDeliveries

      const tell = Effect.fnUntraced(function* <J extends AnnouncedJob>(
        { data, event, folder }: JobEvent<J>,
        job: J
      ): Effect.fn.Return<void, StoreError> {
        if (job.announce.length === 0) return
        const end = { event, jobId: job.id, data: yield* data(job) }
        yield* Effect.forEach(job.announce, (webhookId) => deliveries.enqueue(webhookId, end), { discard: true })
        yield* folder.put({ ...job, announce: [] })
      })
      const resume = Effect.fn("WebhookEvents.resume")(<J extends AnnouncedJob>(kind: JobEvent<J>, job: J) =>
        Effect.catch(tell(kind, job), (error) => Effect.logDebug("The end of a job could not be told", error))
      )

      return WebhookEvents.of({
        resume,
        end: Effect.fn("WebhookEvents.end")(function* (kind, job) {
          const announced = { ...job, announce: webhooks.subscribers(job.owner, kind.event) }
          yield* kind.folder.put(announced)
          yield* jobEnded(kind.event.slice(0, -"_completed".length), job.status)
          yield* resume(kind, announced)
        })
      })
    })
  )
}
