import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import fc from "fast-check"
import { isSameJob } from "../src/api/answerFrame.ts"
import { batchAnswer, crawlAnswer } from "../src/api/readJob.ts"
import { jobList } from "../src/api/readJobList.ts"
import { accepted, acceptedBatch, startedExtraction } from "../src/api/readSubmission.ts"
import { jobId } from "./FakeApi.ts"

const ended = {
  job_id: jobId,
  url: "https://site.test/",
  status: "completed",
  total_pages: 20,
  completed_pages: 15,
  failed_pages: 4,
  cancelled_pages: 1,
  created_at: "2026-01-01T00:00:00Z",
  completed_at: "2026-01-01T00:00:01Z",
  token_summary: { tokens_charged_total: 15, tokens_reserved: 0 },
  results: []
}
const batched = {
  ...ended,
  total_urls: 20,
  completed_urls: 15,
  failed_urls: 4,
  cancelled_urls: 1,
  pending_urls: 0,
  invalid_urls: ["https://no.test/"]
}

const crawl = (raw: unknown) => Effect.runSync(crawlAnswer(JSON.parse(JSON.stringify(raw))))
const batch = (raw: unknown) => Effect.runSync(batchAnswer(JSON.parse(JSON.stringify(raw))))
const without = (raw: object, ...names: ReadonlyArray<string>) =>
  Object.fromEntries(Object.entries(raw).filter(([name]) => !names.includes(name)))

describe("an answer about a job", () => {
  it("says the same whichever one of its counters is missing", () => {
    const whole = crawl(ended)
    for (const name of ["total_pages", "completed_pages", "failed_pages", "cancelled_pages", "token_summary"]) {
      assert.deepStrictEqual(crawl(without(ended, name)), whole, name)
    }
    const wholeBatch = batch(batched)
    for (const name of ["total_urls", "completed_urls", "failed_urls", "cancelled_urls", "pending_urls"]) {
      assert.deepStrictEqual(batch(without(batched, name)), wholeBatch, name)
    }
    assert.strictEqual(crawl(without(ended, "status")).status, "completed")
    assert.strictEqual(crawl({ ...without(ended, "completed_at"), status: "sleeping" }).status, "processing")
    assert.strictEqual(crawl({ ...ended, status: "Succeeded", completed_at: null }).status, "completed")
  })

  it("is read with its results whatever any other member is", () => {
    const names = Object.keys(batched).filter((name) => name !== "results" && name !== "status")
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...names), fc.jsonValue()), { maxLength: 5 }), (changes) => {
        const odd = { ...batched, ...Object.fromEntries(changes), results: [1, 2] }
        for (const answer of [crawl(odd), batch(odd)]) {
          assert.strictEqual(answer.status, "completed")
          assert.lengthOf(answer.results, 2)
          for (const tokens of Object.values(answer.token_summary)) assert.isTrue(Number.isSafeInteger(tokens))
        }
      }),
      { numRuns: 500 }
    )
  })

  it("is none where neither state nor results are what they should be", () => {
    for (const raw of [null, [], "text", {}, { status: 7 }, { ...ended, results: "none" }, { ...ended, results: {} }]) {
      assert.match(Effect.runSync(Effect.flip(crawlAnswer(raw))).detail, /does not fit the contract/)
    }
  })

  it("names refused URLs as texts or as objects", () => {
    const odd = [{ url: "https://a.test/" }, "https://b.test/", null, 7, { no: 1 }, { href: "https://c.test/" }]
    assert.deepStrictEqual(batch({ ...batched, invalid_urls: odd }).invalid_urls, [
      "https://a.test/",
      "https://b.test/",
      "https://c.test/"
    ])
  })

  it("is about a job in whatever spelling of its UUID, and about no other", () => {
    for (const same of ["", jobId, jobId.toUpperCase(), `urn:uuid:${jobId}`, jobId.replaceAll("-", "")]) {
      assert.isTrue(isSameJob(same, jobId), same)
    }
    for (const other of ["job", jobId.replace("0", "1"), `${jobId}0`]) assert.isFalse(isSameJob(other, jobId), other)
  })
})

describe("an answer to a submission", () => {
  it("names a job by any member, as a text or a number", () => {
    for (const read of [accepted, acceptedBatch, startedExtraction]) {
      const named = (raw: unknown) => Effect.runSync(read(raw)).jobId
      for (const odd of [{}, { status: null }, { status: "queued" }]) {
        assert.strictEqual(named({ ...odd, job_id: 7 }), "7")
        assert.strictEqual(named({ ...odd, job_id: "", id: 7 }), "7")
      }
      assert.strictEqual(named({ job_id: "a", status: 202 }), "a")
      assert.strictEqual(named({ status: 202, status_url: "/v1/crawl/a" }), "a")
    }
  })

  it("is lost where neither its id nor its status is a text", () => {
    for (const read of [accepted, acceptedBatch, startedExtraction]) {
      for (const raw of [{ job_id: 7, status: 42, results: "none" }, { id: 7, status: {} }, { job_id: [] }, {}]) {
        assert.match(Effect.runSync(Effect.flip(read(raw))).detail, /\["job_id"\]/)
      }
    }
  })
})

describe("a job list", () => {
  const list = (raw: unknown) => Effect.runSync(jobList("crawl", { page: 2, pageSize: 2 })(raw))

  it("is read row by row", () => {
    const read = list({
      jobs: [{ job_id: "a", status: "done", created_at: "soon", url: "https://a.test/" }, null, { status: "queued" }],
      page_count: "3"
    })
    assert.strictEqual(read.pages, 3)
    assert.deepStrictEqual(
      read.jobs.map(({ createdAt, jobId, status, url }) => [jobId, status, createdAt, url]),
      [["a", "completed", Number.POSITIVE_INFINITY, "https://a.test/"]]
    )
  })

  it("has another page behind a full one, where it does not say how many it has", () => {
    assert.strictEqual(list({ jobs: [{ job_id: "a" }, { job_id: "b" }] }).pages, 3)
    assert.strictEqual(list({ jobs: [{ job_id: "a" }] }).pages, 2)
    const misfit = Effect.flip(jobList("crawl", { page: 1, pageSize: 2 })({ jobs: "none" }))
    assert.match(Effect.runSync(misfit).detail, /\["jobs"\]/)
  })
})
