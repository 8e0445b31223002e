import { assert, describe, it } from "@effect/vitest"
import { failureHint } from "../src/record/failureHint.ts"
import { countFailures, type FailedPage, FailureTally, mergeFailures } from "../src/record/PageFailures.ts"

const failed = (url: string, errorCode: string | null, httpStatus: number | null = null): FailedPage => ({
  jobId: "job",
  key: 1n,
  url,
  errorCode,
  httpStatus
})

describe("the counts of failed pages", () => {
  it("names codes by count, the target's status apart, with the first three URLs", () => {
    const pages = [1, 2, 3, 4].map((n) => failed(`https://site.test/${n}`, "HTTP_ERROR", 404))
    assert.deepStrictEqual(
      countFailures([
        failed("https://a.test/", "DNS_ERROR"),
        ...pages,
        failed("https://site.test/x", "HTTP_ERROR", 500),
        failed("https://site.test/y", "UNSUPPORTED_CONTENT_TYPE", 200),
        failed("https://site.test/z", null)
      ]),
      [
        {
          code: "HTTP_ERROR",
          http_status: 404,
          count: 4,
          urls: ["https://site.test/1", "https://site.test/2", "https://site.test/3"]
        },
        { code: "DNS_ERROR", count: 1, urls: ["https://a.test/"] },
        { code: "HTTP_ERROR", http_status: 500, count: 1, urls: ["https://site.test/x"] },
        { code: "NO_CODE", count: 1, urls: ["https://site.test/z"] },
        { code: "UNSUPPORTED_CONTENT_TYPE", count: 1, urls: ["https://site.test/y"] }
      ]
    )
  })

  it("stays small whatever a server makes up, and loses no page", () => {
    const tally = new FailureTally()
    for (let n = 0; n < 10_000; n++) {
      tally.count([failed(`https://site.test/${"x".repeat(5_000)}${n}`, `${"CODE".repeat(1_000)}`.slice(0, n % 4_000))])
    }
    const { all } = tally
    assert.isAtMost(all.length, 21)
    assert.isBelow(JSON.stringify(all).length, 25_000)
    assert.strictEqual(
      all.reduce((sum, { count }) => sum + count, 0),
      10_000
    )
    assert.strictEqual(all[0]?.code, "OTHER")
  })

  it("shows no password, and no character that a terminal would act on", () => {
    const [found] = countFailures([failed("https://user:secret@site.test/\u001b[2J", "A\nB")])
    assert.deepStrictEqual(found, { code: "A\uFFFDB", count: 1, urls: ["https://site.test/\uFFFD[2J"] })
  })

  it("adds up over segments and attempts, whichever comes first", () => {
    const one = countFailures([failed("https://a.test/", "TIMEOUT"), failed("https://b.test/", "DNS_ERROR")])
    const two = countFailures([failed("https://c.test/", "TIMEOUT")])
    const sum = mergeFailures(one, two)
    assert.deepStrictEqual(sum, [
      { code: "TIMEOUT", count: 2, urls: ["https://a.test/", "https://c.test/"] },
      { code: "DNS_ERROR", count: 1, urls: ["https://b.test/"] }
    ])
    assert.deepStrictEqual(mergeFailures(sum, []), sum)
  })

  it("has a hint for what the embedded scraper refuses, that names the option", () => {
    assert.include(failureHint("BLOCKED_TARGET") ?? "", "embedded.allow_private_targets")
    assert.notStrictEqual(failureHint("HTTP_ERROR", 404), failureHint("HTTP_ERROR", 403))
    assert.isUndefined(failureHint("HTTP_ERROR", 418))
    assert.isUndefined(failureHint("constructor_of_theirs"))
  })
})
