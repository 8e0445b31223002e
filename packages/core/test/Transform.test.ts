import { assert, describe, it } from "@effect/vitest"
import { type PageRecord, type PageStatus, pageKey, weigh } from "../src/record/PageRecord.ts"
import { Transform } from "../src/record/Transform.ts"

const record = (url: string, depth: number | null = 1, status: PageStatus = "completed"): PageRecord => {
  const bare = {
    jobId: "job",
    key: pageKey(url),
    url,
    inputIndex: null,
    parentUrl: null,
    depth,
    status,
    errorCode: null,
    errorMessage: null,
    markdown: "text",
    html: "<p>text</p>",
    links: ["https://site.test/a"],
    httpStatus: 200,
    durationMs: 10,
    retryCount: 0,
    tokensCharged: 1,
    extra: null,
    refusal: null
  }
  return { ...bare, bytes: weigh(bare) }
}

const keeps = (transform: Transform, url: string) => transform.apply(record(url)) !== null

describe("Transform.select", () => {
  const globs: ReadonlyArray<readonly [string, ReadonlyArray<string>, ReadonlyArray<string>]> = [
    [
      "https://site.test/docs/**",
      ["https://site.test/docs/a", "https://site.test/docs/a/b.html"],
      ["https://site.test/doc/a"]
    ],
    ["https://site.test/*", ["https://site.test/a"], ["https://site.test/a/b"]],
    ["**/*.pdf", ["https://site.test/x/y.pdf"], ["https://site.test/x/y.pdf.html"]],
    ["https://*.site.test/**", ["https://docs.site.test/a"], ["https://site.test/a"]],
    ["https://site.test/{a,b}/*", ["https://site.test/a/1", "https://site.test/b/1"], ["https://site.test/c/1"]],
    [
      "https://site.test/**",
      ["https://site.test/", "https://site.test/.hidden/x", "https://site.test/a?b=c"],
      ["https://other.test/"]
    ]
  ]
  for (const [url, inside, outside] of globs) {
    it(`keeps the URLs of ${url}`, () => {
      const transform = Transform.select({ url })
      for (const each of inside) assert.isTrue(keeps(transform, each), each)
      for (const each of outside) assert.isFalse(keeps(transform, each), each)
    })
  }

  it("keeps records to which every condition applies", () => {
    const transform = Transform.select({ status: ["failed", "cancelled"], max_depth: 2 })
    assert.isNull(transform.apply(record("https://site.test/", 1, "completed")))
    assert.isNull(transform.apply(record("https://site.test/", 3, "failed")))
    assert.isNotNull(transform.apply(record("https://site.test/", 2, "cancelled")))
    assert.isNotNull(transform.apply(record("https://site.test/", null, "failed")))
  })
})

describe("Transform.drop", () => {
  it("empties members and weighs anew", () => {
    const dropped = Transform.drop(["markdown", "links", "metadata"]).apply(record("https://site.test/"))
    assert.deepInclude(dropped, {
      markdown: null,
      html: "<p>text</p>",
      links: [],
      httpStatus: null,
      durationMs: null,
      retryCount: null,
      tokensCharged: null,
      bytes: 200 + 18 + 11
    })
  })
})

describe("Transform.map", () => {
  it("keeps job and key, weighs anew, and may leave a record out", () => {
    const transform = Transform.map("longer", (page) =>
      page.depth === 2 ? null : { ...page, markdown: "x".repeat(1_000), key: 0n, jobId: "other" }
    )
    const page = record("https://site.test/")
    assert.deepInclude(transform.apply(page), { key: page.key, jobId: "job", bytes: page.bytes + 996 })
    assert.isNull(transform.apply(record("https://site.test/", 2)))
  })
})
