import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { isTerminal, type WebhookId } from "@sluice/contract"
import { DateTime, Effect } from "effect"
import { signatureOf } from "../src/webhooks/webhookSignature.ts"
import { envelopeOf, expectedSignature, signaturesOf, status, type TestReceiver, testReceiver } from "./TestReceiver.ts"
import {
  type Client,
  clientOf,
  crawl,
  keys,
  raw,
  stateDirectory,
  stoppable,
  testScraper,
  testServer,
  until
} from "./TestScraper.ts"
import { gate, page, testSite } from "./TestSite.ts"

const subscribe = (
  client: Client,
  url: string,
  event_type: "extract_completed" | "batch_completed" | "crawl_completed"
) => client.webhooks.createWebhook({ payload: { url, event_type } })

const receivedBy = (receiver: TestReceiver, count: number) =>
  until(
    Effect.sync(() => receiver.received),
    (received) => received.length >= count
  )

const deliveriesOf = (client: Client, webhook_id: WebhookId) =>
  Effect.map(client.webhooks.listWebhookDeliveries({ params: { webhook_id }, query: {} }), ({ items }) => items)

const lastDelivery = (client: Client, id: WebhookId, wanted: string) =>
  until(
    Effect.map(deliveriesOf(client, id), ([latest]) => latest),
    (delivery) => delivery?.status === wanted
  )

describe("webhooks", () => {
  it.live("are made, listed, changed and deleted, and show their secret once", () =>
    Effect.gen(function* () {
      const baseUrl = yield* testServer()
      const client = yield* clientOf(baseUrl)
      const made = yield* client.webhooks.createWebhook({
        payload: { url: "https://a.example/hook", event_type: "crawl_completed", description: "mine" }
      })
      const { secret, ...webhook } = made
      assert.match(secret, /^whsec_[\w-]{43}$/)
      assert.deepInclude(webhook, { url: "https://a.example/hook", description: "mine", is_active: true })
      const other = yield* subscribe(client, "https://b.example/", "batch_completed")
      const { id: webhook_id } = webhook
      const params = { webhook_id }
      assert.deepStrictEqual(yield* client.webhooks.getWebhook({ params }), webhook)
      const list = yield* client.webhooks.listWebhooks({ query: {} })
      assert.deepStrictEqual(
        list.items.map(({ id }) => id),
        [other.id, webhook_id]
      )
      assert.deepInclude(list, { page: 1, page_size: 100, page_count: 1 })
      const headers = { "x-api-key": keys[0], "content-type": "application/json" }
      for (const path of ["webhooks", `webhooks/${webhook_id}`]) {
        assert.notInclude(JSON.stringify((yield* raw(`${baseUrl}/v1/${path}`, { headers })).body), "whsec_")
      }

      const update = (payload: Parameters<typeof client.webhooks.updateWebhook>[0]["payload"]) =>
        client.webhooks.updateWebhook({ params, payload })
      const changed = yield* update({ is_active: false, event_type: "extract_completed", url: null })
      assert.deepInclude(changed, {
        url: "https://a.example/hook",
        description: "mine",
        is_active: false,
        event_type: "extract_completed"
      })
      assert.isTrue(DateTime.isGreaterThanOrEqualTo(changed.updated_at, changed.created_at))
      assert.deepInclude(yield* update({ description: null, is_active: null }), { description: null, is_active: false })

      const stranger = yield* clientOf(baseUrl, keys[1])
      for (const call of [
        stranger.webhooks.getWebhook({ params }),
        stranger.webhooks.updateWebhook({ params, payload: {} }),
        stranger.webhooks.rotateWebhookSecret({ params }),
        stranger.webhooks.listWebhookDeliveries({ params, query: {} }),
        stranger.webhooks.deleteWebhook({ params })
      ]) {
        assert.deepInclude(yield* Effect.flip<unknown, unknown, never>(call), { code: "NOT_FOUND" })
      }
      assert.deepStrictEqual((yield* stranger.webhooks.listWebhooks({ query: {} })).items, [])
      yield* client.webhooks.deleteWebhook({ params })
      assert.deepInclude(yield* Effect.flip(client.webhooks.getWebhook({ params })), { code: "NOT_FOUND" })
    })
  )

  it.live("are bounded in number, and go to no address that is not public", () =>
    Effect.gen(function* () {
      const receiver = yield* testReceiver
      const client = yield* testScraper({ allowPrivateTargets: false, maxWebhooksPerKey: 2, webhookAttempts: 1 })
      for (const url of ["http://127.0.0.1/", "http://[::1]/", "http://169.254.169.254/x", "http://0x7f000001/"]) {
        assert.deepInclude(yield* Effect.flip(subscribe(client, url, "extract_completed")), { code: "BLOCKED_TARGET" })
      }
      for (const url of ["https://user:pass@a.example/", "ftp://a.example/", "nothing"]) {
        assert.deepInclude(yield* Effect.flip(subscribe(client, url, "extract_completed")), {
          code: "VALIDATION_ERROR"
        })
      }
      // A name is judged by the address that is connected to.
      const named = receiver.url.replace("127.0.0.1", "localhost")
      const { id } = yield* subscribe(client, named, "extract_completed")
      yield* client.extract.createExtraction({ payload: { url: "http://127.0.0.1/", processing_mode: "async" } })
      assert.deepInclude(yield* lastDelivery(client, id, "abandoned"), { http_status: null, attempt_number: 1 })
      assert.deepStrictEqual(receiver.received, [])
      yield* subscribe(client, "https://a.example/", "extract_completed")
      assert.deepInclude(yield* Effect.flip(subscribe(client, "https://b.example/", "extract_completed")), {
        code: "VALIDATION_ERROR",
        message: "Webhook limit reached: plan allows at most 2"
      })
    })
  )

  it.live("tell of an extraction with its whole job, signed", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home \u00e4") })
      const receiver = yield* testReceiver
      const baseUrl = yield* testServer()
      const client = yield* clientOf(baseUrl)
      const webhook = yield* subscribe(client, receiver.url, "extract_completed")
      const job = yield* client.extract.createExtraction({
        payload: { url: site.url("/"), processing_mode: "async", headers: { authorization: "Bearer canary" } }
      })
      const job_id = "job_id" in job ? job.job_id : assert.fail("no job")
      const [first] = yield* receivedBy(receiver, 1)
      if (first === undefined) return assert.fail("nothing came")
      const delivery = yield* lastDelivery(client, webhook.id, "success")
      assert.deepInclude(first.headers, {
        "content-type": "application/json",
        "user-agent": "scraper-api-webhook/1.0",
        "x-webhook-delivery-id": delivery?.id,
        "x-webhook-event": "extract_completed"
      })
      assert.deepStrictEqual(signaturesOf(first), [expectedSignature(first, webhook.secret)])
      const envelope = envelopeOf(first)
      assert.deepInclude(envelope, {
        event: "extract_completed",
        webhook_id: webhook.id,
        delivery_id: delivery?.id ?? ""
      })
      const polled = yield* raw(`${baseUrl}/v1/extract/${job_id}`, { headers: { "x-api-key": keys[0] } })
      // The target's credentials are not the receiver's.
      const { metadata, ...rest } = Object(polled.body)
      const { headers, ...facts } = metadata
      assert.deepStrictEqual(headers, { authorization: "Bearer canary" })
      assert.deepStrictEqual(envelope.data, { ...rest, metadata: facts })
      assert.deepInclude(delivery, { attempt_number: 1, http_status: 200, job_id, event_type: "extract_completed" })
      assert.isNotNull(delivery?.delivered_at ?? null)
    })
  )

  it.live("are verified by what the documents tell receivers to do", () =>
    Effect.gen(function* () {
      const document = readFileSync(new URL("../../../docs/reference/scraper.md", import.meta.url), "utf8")
      const file = join(yield* stateDirectory, "receiver.ts")
      writeFileSync(file, /```ts\n(.*?)```/s.exec(document)?.[1] ?? "")
      const { isGenuine } = yield* Effect.promise(() => import(pathToFileURL(file).href))
      const site = yield* testSite({ "/": page("home") })
      const receiver = yield* testReceiver
      const client = yield* testScraper()
      const { secret } = yield* subscribe(client, receiver.url, "crawl_completed")
      yield* crawl(client, { url: site.url("/") })
      const [first] = yield* receivedBy(receiver, 1)
      if (first === undefined) return assert.fail("nothing came")
      const header = String(first.headers["x-webhook-signature"])
      assert.isTrue(isGenuine(header, first.body, secret))
      assert.isFalse(isGenuine(header, `${first.body} `, secret))
      assert.isFalse(isGenuine(header, first.body, `${secret}x`))
      assert.isFalse(isGenuine(header.replace("v1=", "v2="), first.body, secret))
      const old = signatureOf([secret], Date.now() - 3_600_000, first.body)
      assert.isFalse(isGenuine(old, first.body, secret))
    })
  )

  it.live("tell of every end of crawls and batches, without their pages, and of nothing else", () =>
    Effect.gen(function* () {
      const slow = gate(page("slow"))
      const site = yield* testSite({ "/": page("home"), "/slow": slow.route })
      const crawls = yield* testReceiver
      const batches = yield* testReceiver
      const baseUrl = yield* testServer({ maxRunningCrawls: 1 })
      const client = yield* clientOf(baseUrl)
      yield* subscribe(client, crawls.url, "crawl_completed")
      yield* subscribe(client, batches.url, "batch_completed")
      const done = yield* crawl(client, { url: site.url("/") })
      const failed = yield* crawl(client, { url: site.url("/gone") })
      const draining = yield* client.crawl.createCrawl({ payload: { url: site.url("/slow") } })
      yield* until(
        Effect.sync(() => site.hits("/slow")),
        (hits) => hits === 1
      )
      const queued = yield* client.crawl.createCrawl({ payload: { url: site.url("/slow") } })
      yield* client.crawl.cancelCrawl({ params: { job_id: queued.job_id } })
      yield* receivedBy(crawls, 3)
      yield* client.crawl.cancelCrawl({ params: { job_id: draining.job_id } })
      // It has not ended before its page has.
      assert.strictEqual(crawls.received.length, 3)
      slow.open()
      const received = yield* receivedBy(crawls, 4)
      assert.sameDeepMembers(
        received.map((each) => envelopeOf(each).data).map(({ job_id, status }) => [job_id, status]),
        [
          [done.job_id, "completed"],
          [failed.job_id, "failed"],
          [queued.job_id, "cancelled"],
          [draining.job_id, "cancelled"]
        ]
      )
      const first = received.map(envelopeOf).find(({ data }) => data.job_id === done.job_id)
      const polled = yield* raw(`${baseUrl}/v1/crawl/${done.job_id}`, { headers: { "x-api-key": keys[0] } })
      const { results: _, ...rest } = Object(polled.body)
      assert.deepStrictEqual(first?.data, rest)

      const batch = yield* client.batch.createBatch({
        payload: { urls: [site.url("/"), site.url("/gone")], headers: { authorization: "Bearer canary" } }
      })
      const [told] = yield* receivedBy(batches, 1)
      assert.notInclude(told?.body ?? "", "canary")
      const data = told === undefined ? {} : envelopeOf(told).data
      assert.deepInclude(data, { job_id: batch.job_id, completed_urls: 1, failed_urls: 1, pending_urls: 0 })
      // Another key's jobs are its own.
      const stranger = yield* clientOf(baseUrl, keys[1])
      yield* crawl(stranger, { url: site.url("/") })
      yield* stranger.extract.createExtraction({ payload: { url: site.url("/") } })
      assert.strictEqual(crawls.received.length + batches.received.length, 5)
    })
  )

  it.live("try again what the receiver refused, a redirect too, then give up", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home") })
      const elsewhere = yield* testReceiver
      const receiver = yield* testReceiver
      const client = yield* testScraper({ webhookRetryDelayMs: 1, webhookAttempts: 3, webhookTimeoutMs: 200 })
      const { id } = yield* subscribe(client, receiver.url, "crawl_completed")
      const answers = [status(503), status(307, { location: elsewhere.url }), status(204)]
      receiver.answer((response) => answers.shift()?.(response))
      yield* crawl(client, { url: site.url("/") })
      const delivery = yield* lastDelivery(client, id, "success")
      assert.deepInclude(delivery, { attempt_number: 3, http_status: 204 })
      assert.strictEqual(new Set(receiver.received.map(({ headers }) => headers["x-webhook-delivery-id"])).size, 1)
      assert.strictEqual(new Set(receiver.received.map(({ body }) => body)).size, 1)
      assert.deepStrictEqual(elsewhere.received, [])

      // No answer at all counts as a refusal.
      receiver.answer(() => undefined)
      yield* crawl(client, { url: site.url("/") })
      assert.deepInclude(yield* lastDelivery(client, id, "abandoned"), {
        attempt_number: 3,
        http_status: null,
        delivered_at: null
      })
      assert.strictEqual(receiver.received.length, 6)
      const listed = (query: { status?: "success" | "abandoned" | "failed"; page?: number; page_size?: number }) =>
        Effect.map(client.webhooks.listWebhookDeliveries({ params: { webhook_id: id }, query }), ({ items }) =>
          items.map((item) => item.status)
        )
      assert.deepStrictEqual(yield* listed({}), ["abandoned", "success"])
      assert.deepStrictEqual(yield* listed({ status: "success" }), ["success"])
      assert.deepStrictEqual(yield* listed({ status: "failed" }), [])
      assert.deepStrictEqual(yield* listed({ page: 2, page_size: 1 }), ["success"])
    })
  )

  it.live("are signed with the new secret after a rotation, and only for the overlap with the old one too", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home") })
      const rotated = Effect.fnUntraced(function* (webhookSecretOverlapMs: number) {
        const receiver = yield* testReceiver
        const client = yield* testScraper({ webhookSecretOverlapMs })
        const { id, secret: old } = yield* subscribe(client, receiver.url, "crawl_completed")
        const { secret } = yield* client.webhooks.rotateWebhookSecret({ params: { webhook_id: id } })
        assert.notStrictEqual(secret, old)
        yield* crawl(client, { url: site.url("/") })
        const [first] = yield* receivedBy(receiver, 1)
        if (first === undefined) return assert.fail("nothing came")
        const expected = [secret, old].map((each) => expectedSignature(first, each))
        return signaturesOf(first).map((signature) => ["new", "old"][expected.indexOf(signature)])
      })
      assert.deepStrictEqual(yield* rotated(0), ["new"])
      assert.deepStrictEqual(yield* rotated(3_600_000), ["new", "old"])
    })
  )

  it.live("are sent nothing while they are paused, and nothing more once they are deleted", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home") })
      const receiver = yield* testReceiver
      const client = yield* testScraper({ webhookRetryDelayMs: 1, webhookAttempts: 1000 })
      const paused = yield* subscribe(client, receiver.url, "crawl_completed")
      const params = { webhook_id: paused.id }
      yield* client.webhooks.updateWebhook({ params, payload: { is_active: false } })
      yield* crawl(client, { url: site.url("/") })
      assert.deepStrictEqual(yield* deliveriesOf(client, paused.id), [])

      // What is still to be sent when it is paused is given up.
      yield* client.webhooks.updateWebhook({ params, payload: { is_active: true } })
      receiver.answer(() => undefined)
      yield* crawl(client, { url: site.url("/") })
      yield* receivedBy(receiver, 1)
      yield* client.webhooks.updateWebhook({ params, payload: { is_active: false } })
      yield* client.webhooks.deleteWebhook({ params })
      receiver.answer(status(200))
      const kept = yield* subscribe(client, receiver.url, "crawl_completed")
      yield* crawl(client, { url: site.url("/") })
      yield* lastDelivery(client, kept.id, "success")
      assert.deepStrictEqual(
        receiver.received.map((each) => envelopeOf(each).webhook_id),
        [paused.id, kept.id]
      )
    })
  )

  it.live("are told after a restart of an end that was written and not told, once", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home") })
      const receiver = yield* testReceiver
      const stateDir = yield* stateDirectory
      const first = yield* stoppable(stateDir)
      const { id } = yield* subscribe(first.client, receiver.url, "crawl_completed")
      const { job_id } = yield* crawl(first.client, { url: site.url("/") })
      yield* lastDelivery(first.client, id, "success")
      const manifest = join(stateDir, "crawl", job_id, "job.json")
      const jobOf = Effect.sync(() => JSON.parse(readFileSync(manifest, "utf8")))
      const job = yield* until(jobOf, ({ announce, status }) => status === "completed" && announce.length === 0)
      yield* first.stop
      // As if it had been killed between the end of the job and the making of its delivery.
      const deliveries = join(stateDir, "webhooks", id, "deliveries")
      rmSync(deliveries, { recursive: true })
      writeFileSync(manifest, JSON.stringify({ ...job, announce: [id] }))

      const second = yield* stoppable(stateDir)
      yield* lastDelivery(second.client, id, "success")
      assert.strictEqual(receiver.received.length, 2)
      const [before, after] = receiver.received.map((each) => envelopeOf(each))
      assert.strictEqual(after?.delivery_id, before?.delivery_id)
      assert.deepStrictEqual(after?.data, before?.data)
      yield* until(jobOf, ({ announce }) => announce.length === 0)
      yield* second.stop

      // Killed after the delivery was made: it is not made again.
      writeFileSync(manifest, JSON.stringify({ ...job, announce: [id] }))
      const third = yield* stoppable(stateDir)
      yield* until(jobOf, ({ announce }) => announce.length === 0)
      assert.lengthOf(yield* deliveriesOf(third.client, id), 1)
      assert.strictEqual(receiver.received.length, 2)
      assert.strictEqual(statSync(join(stateDir, "webhooks", id, "webhook.json")).mode & 0o077, 0)
      assert.lengthOf(readdirSync(deliveries), 1)
    })
  )

  it.live("go on after a restart with what was still to be sent", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home") })
      const receiver = yield* testReceiver
      const stateDir = yield* stateDirectory
      const first = yield* stoppable(stateDir)
      const { id } = yield* subscribe(first.client, receiver.url, "batch_completed")
      receiver.answer(status(500))
      const { job_id } = yield* first.client.batch.createBatch({ payload: { urls: [site.url("/")] } })
      yield* until(first.client.batch.getBatch({ params: { job_id }, query: {} }), ({ status }) => isTerminal(status))
      yield* lastDelivery(first.client, id, "failed")
      const directory = join(stateDir, "webhooks", id, "deliveries")
      const manifest = join(directory, readdirSync(directory)[0] ?? "", "delivery.json")
      const written = Effect.sync((): Record<string, unknown> => JSON.parse(readFileSync(manifest, "utf8")))
      // An attempt that is not written down yet is made, and counted, again.
      const delivery = yield* until(written, ({ attempts }) => attempts === 1)
      yield* first.stop
      // Its time comes while the server is down.
      writeFileSync(manifest, JSON.stringify({ ...delivery, nextAt: delivery.createdAt }))
      receiver.answer(status(200))
      const second = yield* stoppable(stateDir)
      assert.deepInclude(yield* lastDelivery(second.client, id, "success"), { attempt_number: 2 })
      assert.strictEqual(new Set(receiver.received.map(({ body }) => body)).size, 1)
    })
  )
})
