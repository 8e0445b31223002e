import { WebhookEnvelope, type WebhookEvent, WebhookId } from "@sluice/contract"
import { Cause, Context, Effect, FiberMap, Layer, Option, RcMap, Schema, Semaphore } from "effect"
import { nowMillis, timestamp } from "../jobs/Job.ts"
import { webhookAttempted } from "../metrics/Metrics.ts"
import { ServerSettings } from "../ScraperConfig.ts"
import type { StoreError } from "../state/Files.ts"
import { WebhookPost } from "./WebhookPost.ts"
import {
  type Deliveries,
  type Delivery,
  deliveryId,
  hasEnded,
  type Subscription,
  WebhookStore
} from "./WebhookStore.ts"
import { signatureOf } from "./webhookSignature.ts"

/** The end of a job, as its subscribers are told of it. */
export interface JobEnd {
  readonly event: typeof WebhookEvent.Type
  readonly jobId: string
  readonly data: Readonly<Record<string, unknown>>
}

/**
 * Sends what subscriptions are told, each until the receiver answers 2xx or the attempts are used up. What is to be sent is
 * on disk before anything is, and what was sent is on disk after: a server that is killed sends again, never less.
 */
export class WebhookDeliveries extends Context.Service<
  WebhookDeliveries,
  {
    /** Takes on the delivery of a job's end. The same end is taken on once, however often it is told. */
    readonly enqueue: (webhookId: string, end: JobEnd) => Effect.Effect<void, StoreError>
    /** Stops what is still to be sent to a subscription. */
    readonly stop: (webhookId: string) => Effect.Effect<void>
  }
>()("@sluice/scraper/webhooks/WebhookDeliveries") {
  static readonly layer: Layer.Layer<WebhookDeliveries, never, ServerSettings | WebhookPost | WebhookStore> =
    Layer.effect(
      this,
      Effect.gen(function* () {
        const settings = yield* ServerSettings
        const store = yield* WebhookStore
        const { post } = yield* WebhookPost
        const slots = yield* Semaphore.make(settings.webhookConcurrency)
        // One attempt at a time to each subscription: a receiver that hangs delays only its own deliveries.
        const turns = yield* RcMap.make({ lookup: (_webhookId: string) => Semaphore.make(1) })
        const inTurn = <A, E, R>(webhookId: string, attempt: Effect.Effect<A, E, R>) =>
          Effect.scoped(Effect.flatMap(RcMap.get(turns, webhookId), (turn) => turn.withPermits(1)(attempt)))
        const fibers = yield* FiberMap.make<string>()

        /** Makes one attempt and returns the delivery after it. */
        const attempt = Effect.fnUntraced(function* (
          subscription: Subscription,
          deliveries: Deliveries,
          delivery: Delivery
        ): Effect.fn.Return<Delivery, StoreError> {
          const body = yield* deliveries.readBody(delivery.id)
          if (!subscription.isActive || Option.isNone(body)) return { ...delivery, status: "abandoned" }
          const at = yield* nowMillis
          const httpStatus = yield* post(
            subscription.url,
            {
              "content-type": "application/json",
              "user-agent": "scraper-api-webhook/1.0",
              "x-webhook-signature": signatureOf(secretsOf(subscription, at), at, body.value),
              "x-webhook-delivery-id": delivery.id,
              "x-webhook-event": delivery.event
            },
            body.value
          )
          const attempts = delivery.attempts + 1
          const now = yield* nowMillis
          const tried = { ...delivery, attempts, httpStatus: httpStatus ?? null }
          if (httpStatus !== undefined && httpStatus >= 200 && httpStatus < 300) {
            return { ...tried, status: "success", deliveredAt: now }
          }
          if (attempts >= settings.webhookAttempts) return { ...tried, status: "abandoned" }
          const wait = Math.min(settings.webhookRetryDelayMs * backoff ** (attempts - 1), longestWaitMs)
          return { ...tried, status: "failed", nextAt: now + wait }
        })

        const deliver = Effect.fnUntraced(function* (webhookId: string, id: string) {
          while (true) {
            const deliveries = store.deliveries(webhookId)
            const delivery = deliveries?.records.get(id)
            if (deliveries === undefined || delivery === undefined || hasEnded(delivery)) return
            const now = yield* nowMillis
            if (delivery.nextAt > now) yield* Effect.sleep(delivery.nextAt - now)
            // The subscription as it is when the turn has come: paused, moved or with another secret.
            const once = Effect.suspend(() => {
              const subscription = store.subscriptions.records.get(webhookId)
              return subscription === undefined
                ? Effect.void
                : Effect.flatMap(attempt(subscription, deliveries, delivery), (tried) =>
                    Effect.andThen(deliveries.put(tried), webhookAttempted(tried.status))
                  )
            })
            yield* inTurn(webhookId, slots.withPermits(1)(once))
          }
        })

        const start = (webhookId: string, id: string) =>
          FiberMap.run(
            fibers,
            fiberKey(webhookId, id),
            deliver(webhookId, id).pipe(
              Effect.catchCauseIf(
                (cause) => !Cause.hasInterruptsOnly(cause),
                // It stays on disk as it was, and is resumed after a restart.
                (cause) => Effect.logDebug("A delivery broke down", cause)
              )
            )
          )

        for (const { id: webhookId } of store.subscriptions.records.values()) {
          for (const delivery of store.deliveries(webhookId)?.records.values() ?? []) {
            if (!hasEnded(delivery)) yield* start(webhookId, delivery.id)
          }
        }

        return WebhookDeliveries.of({
          enqueue: Effect.fn("WebhookDeliveries.enqueue")(function* (webhookId, { data, event, jobId }) {
            const deliveries = store.deliveries(webhookId)
            const id = deliveryId(webhookId, jobId)
            if (deliveries === undefined || deliveries.records.has(id)) return
            const pending = [...deliveries.records.values()].filter((each) => !hasEnded(each)).length
            const isTooMany = pending >= settings.maxPendingDeliveries
            const now = yield* nowMillis
            yield* deliveries.prepare(id)
            if (!isTooMany) {
              const envelope = {
                event,
                webhook_id: WebhookId.make(webhookId),
                delivery_id: id,
                timestamp: timestamp(now),
                data
              }
              yield* deliveries.writeBody(id, yield* Effect.orDie(encodeEnvelope(envelope)))
            }
            yield* deliveries.add({
              id,
              seq: deliveries.nextSeq(),
              event,
              jobId,
              status: isTooMany ? "abandoned" : "pending",
              attempts: 0,
              httpStatus: null,
              createdAt: now,
              deliveredAt: null,
              nextAt: now
            })
            yield* start(webhookId, id)
          }, Effect.uninterruptible),
          stop: Effect.fnUntraced(function* (webhookId) {
            for (const id of store.deliveries(webhookId)?.records.keys() ?? []) {
              yield* FiberMap.remove(fibers, fiberKey(webhookId, id))
            }
          })
        })
      })
    )
}

/** Each wait is so many times as long as the one before. */
const backoff = 4
const longestWaitMs = 6 * 3_600_000

const fiberKey = (webhookId: string, id: string) => `${webhookId}/${id}`

const secretsOf = ({ former, secret }: Subscription, at: number): ReadonlyArray<string> =>
  former !== null && former.until > at ? [secret, former.secret] : [secret]

const encodeEnvelope = Schema.encodeEffect(Schema.fromJsonString(WebhookEnvelope))
