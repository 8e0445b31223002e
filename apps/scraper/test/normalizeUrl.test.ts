import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import fc from "fast-check"
import { normalizeUrl } from "../src/index.ts"

const normal = (input: string, base?: string) => Option.getOrNull(normalizeUrl(input, base))

describe("normalizeUrl", () => {
  for (const [input, expected] of [
    ["HTTP://Example.COM", "http://example.com/"],
    ["http://example.com:80/", "http://example.com/"],
    ["https://example.com:443/a", "https://example.com/a"],
    ["https://example.com:8443/a", "https://example.com:8443/a"],
    ["http://example.com/a/./b/../c", "http://example.com/a/c"],
    ["http://example.com/a/%2e%2E/c", "http://example.com/c"],
    ["http://example.com/#top", "http://example.com/"],
    ["http://example.com/?b=2&a=1#x", "http://example.com/?b=2&a=1"],
    ["http://example.com/a?", "http://example.com/a"],
    ["http://example.com/%7euser/%41%2f", "http://example.com/~user/A%2F"],
    ["http://example.com/100%", "http://example.com/100%25"],
    ["http://example.com/?q=%e4%bd%a0", "http://example.com/?q=%E4%BD%A0"],
    ["http://bücher.example/ä", "http://xn--bcher-kva.example/%C3%A4"],
    ["http://example.com/a/", "http://example.com/a/"],
    ["http://0x7f.1/", "http://127.0.0.1/"]
  ] as const) {
    it(`${input} is ${expected}`, () => assert.strictEqual(normal(input), expected))
  }

  it("resolves against a base", () => {
    assert.strictEqual(normal("../x#y", "http://example.com/a/b/c"), "http://example.com/a/x")
    assert.strictEqual(normal("//other.example/x", "https://example.com/"), "https://other.example/x")
  })

  for (const input of [
    "",
    "a/b",
    "mailto:a@b.example",
    "javascript:alert(1)",
    "ftp://example.com/",
    "http://u:p@a.example/",
    "http://",
    `http://a.example/${"x".repeat(9000)}`
  ]) {
    it(`refuses ${input.slice(0, 40)}`, () => assert.strictEqual(normal(input), null))
  }

  it("changes nothing the second time", () => {
    const text = fc.oneof(
      fc.webUrl({ withFragments: true, withQueryParameters: true }),
      fc.string({ unit: "binary" }).map((path) => `http://example.com/${path}`),
      fc
        .array(fc.constantFrom("%", "%2", "%41", "%2f", "%zz", "/", "..", ".", "?", "#", "a", "é", " ", "\\", "&", "+"))
        .map((parts) => `https://Example.com/${parts.join("")}`)
    )
    fc.assert(
      fc.property(text, (input) => {
        const once = normal(input)
        if (once !== null) assert.strictEqual(normal(once), once)
      }),
      { numRuns: 500 }
    )
  })

  it("keeps what makes pages different", () => {
    fc.assert(
      fc.property(fc.webPath(), fc.webQueryParameters(), (path, query) => {
        const url = normal(`http://example.com${path}?${query}`)
        assert.isNotNull(url)
        assert.notInclude(url, "#")
        assert.strictEqual(new URL(url ?? "").host, "example.com")
      })
    )
  })
})
