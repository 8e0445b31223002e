import { assert, describe, it } from "@effect/vitest"
import { isTerminal } from "@sluice/contract"
import { Effect } from "effect"
import { commandProcess } from "./ServerProcess.ts"
import { envelopeOf, status, testReceiver } from "./TestReceiver.ts"
import { clientOf, stateDirectory, until } from "./TestScraper.ts"
import { gate, page, testSite } from "./TestSite.ts"

/** The server as a process of its own, to be killed. */
const serverProcess = Effect.fnUntraced(function* (stateDir: string) {
  const { baseUrl, end } = yield* commandProcess(["--state-dir", stateDir])
  return { client: yield* clientOf(baseUrl), kill: end("SIGKILL") }
})

describe("a server killed with SIGKILL", () => {
  it.live("fetches no finished page of a batch again, counts each once, and delivers what it had begun to", () =>
    Effect.gen(function* () {
      const slow = gate(page("slow"))
      const names = ["/p1", "/p2", "/p3"]
      const site = yield* testSite({
        "/slow": slow.route,
        ...Object.fromEntries(names.map((name) => [name, page(name)]))
      })
      const receiver = yield* testReceiver
      receiver.answer(() => undefined)
      const stateDir = yield* stateDirectory
      const first = yield* serverProcess(stateDir)
      const webhook = yield* first.client.webhooks.createWebhook({
        payload: { url: receiver.url, event_type: "batch_completed" }
      })
      const short = yield* first.client.batch.createBatch({ payload: { urls: [site.url("/p1")] } })
      const long = yield* first.client.batch.createBatch({ payload: { urls: ["/slow", ...names].map(site.url) } })
      const statusOf = (client: typeof first.client, job_id: typeof long.job_id) =>
        client.batch.getBatch({ params: { job_id }, query: {} })
      yield* until(statusOf(first.client, long.job_id), (job) => job.completed_urls === 3 && site.hits("/slow") === 1)
      // The receiver has the first delivery and has not answered it.
      yield* until(
        Effect.sync(() => receiver.received.length),
        (count) => count === 1
      )
      yield* first.kill

      slow.open()
      receiver.answer(status(200))
      const second = yield* serverProcess(stateDir)
      const job = yield* until(statusOf(second.client, long.job_id), (each) => isTerminal(each.status))
      assert.deepInclude(job, { status: "completed", completed_urls: 4 })
      assert.deepStrictEqual(names.map(site.hits), [2, 1, 1])
      assert.strictEqual(site.hits("/slow"), 2)
      const deliveries = yield* until(
        second.client.webhooks.listWebhookDeliveries({ params: { webhook_id: webhook.id }, query: {} }),
        ({ items }) => items.length === 2 && items.every((item) => item.status === "success")
      )
      assert.sameMembers(
        deliveries.items.map((item) => item.job_id),
        [short.job_id, long.job_id]
      )
      // At least once: the receiver tells the repetition by the delivery's id.
      const told = receiver.received.map((each) => [envelopeOf(each).data.job_id, envelopeOf(each).delivery_id])
      const first_id = told[0]?.[1]
      assert.sameDeepMembers(told, [
        [short.job_id, first_id],
        [short.job_id, first_id],
        [long.job_id, told.find(([job_id]) => job_id === long.job_id)?.[1]]
      ])
      const statistics = yield* second.client.statistics.getStatistics({ query: {} })
      assert.deepInclude(statistics, { extraction_count: 5, period_tokens_used: 5 })
    })
  )
})
