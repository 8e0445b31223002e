import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { type PageRecord, pageKey } from "../src/record/PageRecord.ts"
import { batchedRecord } from "../src/source/batchedRecord.ts"
import { crawlKind } from "../src/source/Crawl.ts"
import { recognise } from "../src/source/JobItem.ts"
import { refusedRecord } from "../src/source/recordOfItem.ts"
import { recordOfLine, storedLines } from "../src/vault/storedPages.ts"

const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("a\0b", "\ud800", "\u2028\n\r", "漢字 😀", ""))
const maybe = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: null })

/** Results as the API might give them: by the contract, with more than it knows, and with members of the wrong kind. */
const anItem = fc.record({
  url: fc.webUrl(),
  status: fc.constantFrom("completed", "failed", "cancelled"),
  depth: fc.oneof(fc.nat(9), fc.constant("two")),
  parent_url: maybe(text),
  error_code: maybe(text),
  error_message: maybe(text),
  links: fc.array(text),
  data: maybe(fc.record({ markdown: maybe(text), html: maybe(text), links: maybe(fc.array(text)), summary: text })),
  metadata: maybe(
    fc.record({
      http_status: maybe(fc.nat(599)),
      duration_ms: maybe(fc.nat()),
      retry_count: fc.nat(9),
      more: fc.jsonValue()
    })
  ),
  tokens_charged: fc.nat(9),
  input_index: fc.nat(99),
  unheard_of: fc.jsonValue()
})

const kept = (record: PageRecord, kind: "crawl" | "batch") => {
  const snapshot = { jobId: record.jobId, kind, url: "", status: "completed" } as const
  const counts = {
    discovered: 1,
    completed: 1,
    failed: 0,
    cancelled: 0,
    tokensCharged: 1,
    tokensReserved: 0,
    observedAt: 1
  }
  const segment = { runId: "r", epoch: 1, seq: 1, records: [record], jobs: [{ ...snapshot, ...counts }], bytes: 1 }
  return [...storedLines(segment)]
}

describe("a page that is kept", () => {
  it("is the same record when it is read back, whatever the API gave and whatever of it could not be read", () => {
    let unread = 0
    fc.assert(
      fc.property(anItem, fc.constantFrom("crawl", "batch"), (item, kind) => {
        const raw = JSON.parse(JSON.stringify(item))
        const said = recognise(raw)!
        const page = { jobId: "job", key: pageKey(item.url), url: item.url }
        const record: PageRecord =
          kind === "crawl"
            ? crawlKind.recordOf(page, raw)!
            : batchedRecord({ ...page, inputIndex: item.input_index, status: said.status }, raw)
        if (record.unread !== undefined) unread++
        const lines = kept({ ...record, answer: raw }, kind)
        assert.lengthOf(lines, 1)
        assert.strictEqual(lines[0]!.indexOf("\n"), lines[0]!.length - 1)
        // As bytes: half a surrogate pair survives because it is escaped.
        const stored = Buffer.from(lines[0]!).toString("utf8")
        assert.deepStrictEqual(recordOfLine(stored), record)
      }),
      { numRuns: 400, seed: 5 }
    )
    assert.isAbove(unread, 20)
  })

  it("may be a result that cannot be counted", () => {
    const refusal = {
      reason: "contract",
      detail: "it does not say how it ended",
      raw: "null",
      uncountable: true
    } as const
    const page = { jobId: "job", key: 7n, url: "", inputIndex: null, status: "failed" } as const
    const record = refusedRecord(page, refusal)
    assert.deepStrictEqual(recordOfLine(kept(record, "crawl")[0]!), record)
  })

  it("is none where a line is none", () => {
    for (const line of ["", "{}", "null", '{"job_id":"j"}', "not json"]) assert.isUndefined(recordOfLine(line))
  })
})
