import { createHmac } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { makeLedgerMemory, type Receipt } from "@sluice/core"
import type { Notice } from "@sluice/core/sink"
import { Effect, Schema } from "effect"
import { NotifySettings, type NotifyTarget } from "../src/NotifySettings.ts"
import { noticeBody, signedHeaders, slackBody } from "../src/noticeMessage.ts"
import { eventsFor, noticesOf } from "../src/noticesOf.ts"
import { metricsText } from "../src/statusFiles.ts"

const receipt = (changes: Partial<Receipt> = {}): Receipt => ({
  run_id: "run",
  pipeline: "docs",
  config_hash: "hash",
  status: "completed",
  started_at: "2026-01-01T00:00:00.000Z",
  finished_at: "2026-01-01T00:30:00.000Z",
  jobs: [],
  pages: { discovered: 9, completed: 7, failed: 2, cancelled: 0, delivered: 9 },
  tokens: { charged: 7, reserved: 0 },
  sinks: [
    {
      name: "postgres",
      kind: "postgres",
      rows: { pages: 9, links: 0, page_metadata: 9, token_summaries: 1 },
      dead_letters: 1
    }
  ],
  requests: { submitted: 1, reads: 1, retries: 0 },
  failures: [{ code: "HTTP_ERROR", http_status: 404, count: 2, urls: ["https://a/"] }],
  ...changes
})

const entry = (changes: Partial<NotifyTarget> = {}): NotifyTarget => ({ command: ["true"], ...changes })
const notice: Notice = { noticeId: "id", target: "t", event: "failed", receipt: receipt(), createdAt: 0, attempts: 0 }

describe("what is told of a run", () => {
  it("is how it ended, where that is asked for", () => {
    for (const status of ["failed", "incomplete", "halted", "stopped_budget"] as const) {
      assert.deepStrictEqual(eventsFor(entry(), receipt({ status }), false), [status])
      assert.deepStrictEqual(eventsFor(entry({ on: ["recovered"] }), receipt({ status }), false), [])
    }
    assert.deepStrictEqual(eventsFor(entry(), receipt(), false), [])
    assert.deepStrictEqual(eventsFor(entry(), receipt(), true), ["recovered"])
    assert.deepStrictEqual(eventsFor(entry({ on: ["failed"] }), receipt(), true), [])
  })

  it("is a share of dead letters and a time, past what was named and not at it", () => {
    const of = (changes: Partial<NotifyTarget>) => eventsFor(entry({ on: [], ...changes }), receipt(), false)
    assert.deepStrictEqual(of({ quarantine_share: 0.1 }), [])
    assert.deepStrictEqual(of({ quarantine_share: 0.09 }), ["quarantine"])
    assert.deepStrictEqual(of({ longer_than: "30m" }), [])
    assert.deepStrictEqual(of({ longer_than: "29m" }), ["slow"])
    const interrupted = receipt({ status: "interrupted" })
    assert.deepStrictEqual(eventsFor(entry({ longer_than: 1, quarantine_share: 0 }), interrupted, false), [])
  })

  it.effect("is a recovery after a run that did not complete, and after none", () =>
    Effect.gen(function* () {
      const ledger = makeLedgerMemory()
      const lease = { holder: "h", durationMs: 1_000 }
      const told = (runId: string) => noticesOf([entry()], receipt({ run_id: runId }), ledger)
      assert.deepStrictEqual(yield* told("first"), [])
      const failed = yield* ledger.begin({ pipeline: "docs", configHash: "", startedAt: 1 }, lease)
      yield* ledger.end(failed, receipt({ status: "failed" }))
      const next = yield* ledger.begin({ pipeline: "docs", configHash: "", startedAt: 2 }, lease)
      assert.deepStrictEqual(
        (yield* told(next.runId)).map(({ event, target }) => [target, event]),
        [["command", "recovered"]]
      )
      yield* ledger.end(next, receipt())
      const last = yield* ledger.begin({ pipeline: "docs", configHash: "", startedAt: 3 }, lease)
      assert.deepStrictEqual(yield* told(last.runId), [])
    })
  )
})

describe("a notice", () => {
  it("is signed as Standard Webhooks say, by a text or by a secret in base64", () => {
    const body = noticeBody(notice)
    assert.deepInclude(JSON.parse(body), { type: "run.failed", id: "id", timestamp: "1970-01-01T00:00:00.000Z" })
    const expected = (key: Buffer) => `v1,${createHmac("sha256", key).update(`id.1700000000.${body}`).digest("base64")}`
    const text = signedHeaders("id", body, 1_700_000_000, "a secret")
    assert.deepStrictEqual(text, {
      "webhook-id": "id",
      "webhook-timestamp": "1700000000",
      "webhook-signature": expected(Buffer.from("a secret"))
    })
    const encoded = signedHeaders("id", body, 1_700_000_000, "whsec_AAECAw==")
    assert.strictEqual(encoded["webhook-signature"], expected(Buffer.from([0, 1, 2, 3])))
    assert.notProperty(signedHeaders("id", body, 1, undefined), "webhook-signature")
  })

  it("mentions nobody in Slack, whatever a page or a server says", () => {
    const { text } = JSON.parse(slackBody({ ...notice, receipt: receipt({ reason: "<!channel> & @here" }) }))
    assert.include(text, "*docs*: a run failed\n&lt;!channel&gt; &amp; @\u200bhere\n9 pages, 2 failed, 7 tokens")
    assert.include(text, "failed pages: 2 HTTP_ERROR (404)")
  })

  it("is refused to an entry of two ways, or of none, and to two of one name", () => {
    const is = Schema.decodeUnknownOption(NotifySettings)
    const accepts = (settings: unknown) => is(settings)._tag === "Some"
    assert.isTrue(accepts([{ command: ["a"] }, { name: "b", command: ["b"] }, { slack: { url: "https://h.test/" } }]))
    assert.isFalse(accepts([{ command: ["a"] }, { command: ["b"] }]))
    assert.isFalse(accepts([{ command: ["a"], slack: { url: "https://h.test/" } }]))
    assert.isFalse(accepts([{ on: ["failed"] }]))
    assert.isFalse(accepts([{ webhook: { url: "ftp://h.test/" } }]))
  })
})

it("metrics are in the text format of Prometheus", () => {
  const lines = metricsText(receipt({ status: "failed", pipeline: 'a"b\\c' })).split("\n")
  assert.include(lines, 'sluice_last_run_status{pipeline="a\\"b\\\\c",status="failed"} 1')
  assert.include(lines, 'sluice_last_run_success{pipeline="a\\"b\\\\c"} 0')
  assert.include(lines, 'sluice_last_run_duration_seconds{pipeline="a\\"b\\\\c"} 1800')
  assert.include(lines, 'sluice_last_run_failed_pages{pipeline="a\\"b\\\\c",code="HTTP_ERROR",http_status="404"} 2')
  for (const line of lines)
    assert.match(line, /^(?:$|# (?:HELP|TYPE) sluice_\w+ .+|sluice_\w+\{(?:\w+="(?:[^"\\]|\\.)*",?)+\} [\d.]+)$/)
  assert.strictEqual(lines.at(-1), "")
})
