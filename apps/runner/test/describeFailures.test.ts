import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { describeFailures } from "../src/describeFailures.ts"

const job = (status: string, n: number): Receipt["jobs"][number] => ({
  job_id: `job-${n}`,
  kind: "batch",
  url: `https://site.test/${n}`,
  status
})

const receipt = (changes: Partial<Receipt>): Receipt => ({
  run_id: "run",
  pipeline: "site",
  config_hash: "hash",
  status: "completed",
  started_at: "2026-01-01T00:00:00.000Z",
  finished_at: "2026-01-01T00:00:01.000Z",
  jobs: [],
  pages: { discovered: 9, completed: 9, failed: 0, cancelled: 0, delivered: 9 },
  tokens: { charged: 9, reserved: 0 },
  sinks: [],
  requests: { submitted: 1, reads: 1, retries: 0 },
  ...changes
})

describe("what a receipt says of failures", () => {
  it("is nothing where nothing failed", () => {
    assert.deepStrictEqual(describeFailures(receipt({ jobs: [job("completed", 1)] })), [])
  })

  it("names codes by count, hints, URLs, and what was not delivered", () => {
    const lines = describeFailures(
      receipt({
        pages: { discovered: 9, completed: 2, failed: 7, cancelled: 0, delivered: 7 },
        failures: [
          { code: "HTTP_ERROR", http_status: 404, count: 4, urls: ["https://a/1", "https://a/2"], hint: "look" },
          { code: "ODD", count: 1, urls: ["https://b/"] }
        ]
      })
    )
    assert.deepStrictEqual(lines, [
      "failed     4 pages: HTTP_ERROR (404): look",
      "             https://a/1",
      "             https://a/2",
      "             and 2 more",
      "failed     1 page: ODD",
      "             https://b/",
      "failed     2 pages the API counts as failed and has not delivered"
    ])
  })

  it("names up to three jobs of several that did not complete", () => {
    const jobs = [job("completed", 0), ...[1, 2, 3, 4].map((n) => job("failed", n)), job("cancelled", 5)]
    assert.deepStrictEqual(describeFailures(receipt({ jobs })), [
      "jobs       4 of 6 failed",
      "             batch job-1 https://site.test/1",
      "             batch job-2 https://site.test/2",
      "             batch job-3 https://site.test/3",
      "             and 1 more",
      "jobs       1 of 6 cancelled",
      "             batch job-5 https://site.test/5"
    ])
  })
})
