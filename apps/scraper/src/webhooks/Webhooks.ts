import type { WebhookEvent } from "@sluice/contract"
import { Context, Effect, Layer, Option, Semaphore } from "effect"
import { newJobId, nowMillis } from "../jobs/Job.ts"
import { ServerSettings } from "../ScraperConfig.ts"
import type { StoreError } from "../state/Files.ts"
import { WebhookDeliveries } from "./WebhookDeliveries.ts"
import { type Delivery, type Subscription, WebhookStore } from "./WebhookStore.ts"
import { newSecret } from "./webhookSignature.ts"

/** What of a subscription can be changed. */
export type SubscriptionChange = Partial<Pick<Subscription, "url" | "description" | "isActive" | "event">>

/** The subscriptions of all keys. Every call names the owner: another key's subscriptions do not exist for it. */
export class Webhooks extends Context.Service<
  Webhooks,
  {
    /** Makes a subscription; none if the key is at its limit. */
    readonly create: (
      owner: string,
      wish: Pick<Subscription, "url" | "description" | "event">
    ) => Effect.Effect<Option.Option<Subscription>, StoreError>
    readonly find: (owner: string, id: string) => Option.Option<Subscription>
    /** Newest first. */
    readonly list: (owner: string) => ReadonlyArray<Subscription>
    /** None if it was deleted meanwhile. */
    readonly update: (
      webhook: Subscription,
      change: SubscriptionChange
    ) => Effect.Effect<Option.Option<Subscription>, StoreError>
    /** Gives a new secret. The old one dies at once, unless the settings let it sign for a while. */
    readonly rotate: (webhook: Subscription) => Effect.Effect<Option.Option<Subscription>, StoreError>
    /** Deletes a subscription; what was still to be sent is not. */
    readonly remove: (webhook: Subscription) => Effect.Effect<void, StoreError>
    /** Newest first. */
    readonly deliveries: (webhook: Subscription) => ReadonlyArray<Delivery>
    /** The ids of the subscriptions that are to be told of an event. */
    readonly subscribers: (owner: string, event: typeof WebhookEvent.Type) => ReadonlyArray<string>
  }
>()("@sluice/scraper/webhooks/Webhooks") {
  static readonly layer: Layer.Layer<Webhooks, never, ServerSettings | WebhookDeliveries | WebhookStore> = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const store = yield* WebhookStore
      const deliveries = yield* WebhookDeliveries
      const { subscriptions } = store
      const changing = yield* Semaphore.make(1)

      const list = (owner: string) =>
        [...subscriptions.records.values()].filter((each) => each.owner === owner).sort((a, b) => b.seq - a.seq)

      const change = Effect.fnUntraced(function* (
        { id }: Subscription,
        changes: (before: Subscription, now: number) => Partial<Subscription>
      ) {
        const before = subscriptions.records.get(id)
        if (before === undefined) return Option.none<Subscription>()
        const now = yield* nowMillis
        const after: Subscription = { ...before, ...changes(before, now), updatedAt: now }
        yield* subscriptions.put(after)
        return Option.some(after)
      }, changing.withPermits(1))

      return Webhooks.of({
        list,
        create: Effect.fn("Webhooks.create")(function* (owner, { description, event, url }) {
          if (list(owner).length >= settings.maxWebhooksPerKey) return Option.none()
          const now = yield* nowMillis
          const webhook: Subscription = {
            id: yield* newJobId,
            owner,
            seq: subscriptions.nextSeq(),
            url,
            description,
            isActive: true,
            event,
            createdAt: now,
            updatedAt: now,
            secret: newSecret(),
            former: null
          }
          yield* store.add(webhook)
          return Option.some(webhook)
        }, changing.withPermits(1)),
        find: (owner, id) =>
          Option.filter(Option.fromUndefinedOr(subscriptions.records.get(id)), (each) => each.owner === owner),
        update: (webhook, changes) => change(webhook, () => changes),
        rotate: (webhook) =>
          change(webhook, ({ secret }, now) => ({
            secret: newSecret(),
            former:
              settings.webhookSecretOverlapMs > 0 ? { secret, until: now + settings.webhookSecretOverlapMs } : null
          })),
        remove: Effect.fn("Webhooks.remove")(function* ({ id }) {
          yield* deliveries.stop(id)
          yield* store.remove(id)
        }, changing.withPermits(1)),
        deliveries: ({ id }) => [...(store.deliveries(id)?.records.values() ?? [])].sort((a, b) => b.seq - a.seq),
        subscribers: (owner, event) =>
          list(owner).flatMap((each) => (each.isActive && each.event === event ? [each.id] : []))
      })
    })
  )
}
