import { createHash } from "node:crypto"
import { DeliveryStatus, WebhookEvent } from "@sluice/contract"
import { Context, Effect, Layer, type Option, Schema } from "effect"
import { openRecordFolder, type RecordFolder, type Retention, retainAll } from "../jobs/RecordFolder.ts"
import { deliveryRetention, keepSwept } from "../jobs/retention.ts"
import { ServerSettings } from "../ScraperConfig.ts"
import type { StoreError } from "../state/Files.ts"
import type { State } from "../state/State.ts"
import { StateStore } from "../state/StateStore.ts"

/** A subscription with its secrets. `former` is the one before the last rotation, and until when it signs as well. */
export const Subscription = Schema.Struct({
  id: Schema.String,
  owner: Schema.String,
  seq: Schema.Int,
  url: Schema.String,
  description: Schema.NullOr(Schema.String),
  isActive: Schema.Boolean,
  event: WebhookEvent,
  createdAt: Schema.Int,
  updatedAt: Schema.Int,
  secret: Schema.String,
  former: Schema.NullOr(Schema.Struct({ secret: Schema.String, until: Schema.Int }))
})
export type Subscription = typeof Subscription.Type

/**
 * The delivery of one event to one subscription. `attempts` have been made; `nextAt` is when another is due. While it is
 * `failed` another is; `success` and `abandoned` are ends.
 */
export const Delivery = Schema.Struct({
  id: Schema.String,
  seq: Schema.Int,
  event: WebhookEvent,
  jobId: Schema.String,
  status: DeliveryStatus,
  attempts: Schema.Int,
  httpStatus: Schema.NullOr(Schema.Int),
  createdAt: Schema.Int,
  deliveredAt: Schema.NullOr(Schema.Int),
  nextAt: Schema.Int
})
export type Delivery = typeof Delivery.Type

/** Whether a delivery will not change any more. */
export const hasEnded = ({ status }: Delivery): boolean => status === "success" || status === "abandoned"

/** A subscription's deliveries; the body of each is a file beside its manifest. */
export interface Deliveries extends RecordFolder<Delivery> {
  readonly writeBody: (id: string, body: string) => Effect.Effect<void, StoreError>
  readonly readBody: (id: string) => Effect.Effect<Option.Option<string>, StoreError>
}

/** The id of the delivery of a job's end to a subscription: the same whenever it is told of, so it is made once. */
export const deliveryId = (webhookId: string, jobId: string): string => {
  const hash = createHash("sha256").update(`${webhookId}/${jobId}`).digest().subarray(0, 16)
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  return hash.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
}

/** Subscriptions and deliveries of all keys, in memory and in the state. */
export class WebhookStore extends Context.Service<
  WebhookStore,
  {
    readonly subscriptions: Pick<RecordFolder<Subscription>, "records" | "nextSeq" | "put">
    readonly add: (subscription: Subscription) => Effect.Effect<void, StoreError>
    /** The deliveries of a subscription; undefined if there is none. */
    readonly deliveries: (webhookId: string) => Deliveries | undefined
    /** Deletes a subscription with its deliveries. */
    readonly remove: (webhookId: string) => Effect.Effect<void, StoreError>
  }
>()("@sluice/scraper/webhooks/WebhookStore") {
  static readonly layer: Layer.Layer<WebhookStore, StoreError, ServerSettings | StateStore> = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const state = yield* StateStore
      const subscriptions = yield* openRecordFolder(state, root, Subscription, {
        manifest: "webhook.json",
        retain: retainAll,
        endedAt: () => undefined
      })

      const open = new Map<string, Deliveries>()
      for (const id of subscriptions.records.keys())
        open.set(id, yield* openDeliveries(state, id, deliveryRetention(settings)))
      yield* keepSwept(() => open.values())

      return WebhookStore.of({
        subscriptions,
        add: Effect.fnUntraced(function* (subscription) {
          yield* subscriptions.prepare(subscription.id)
          open.set(subscription.id, yield* openDeliveries(state, subscription.id, deliveryRetention(settings)))
          yield* subscriptions.add(subscription)
        }),
        deliveries: (webhookId) => open.get(webhookId),
        remove: (webhookId) => {
          open.delete(webhookId)
          return subscriptions.remove(webhookId)
        }
      })
    })
  )
}

const root = "webhooks"

const openDeliveries = Effect.fnUntraced(function* (
  state: State,
  webhookId: string,
  retain: Retention
): Effect.fn.Return<Deliveries, StoreError> {
  const folder = yield* openRecordFolder(state, `${root}/${webhookId}/deliveries`, Delivery, {
    manifest: "delivery.json",
    retain,
    endedAt: (delivery) => (hasEnded(delivery) ? (delivery.deliveredAt ?? delivery.createdAt) : undefined)
  })
  const bodyFile = (id: string) => `${folder.place(id)}/body.json`
  return {
    ...folder,
    writeBody: (id, body) => state.write(bodyFile(id), body),
    readBody: (id) => state.read(bodyFile(id))
  }
})
