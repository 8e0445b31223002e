import { assert, describe, it } from "@effect/vitest"
import { inScope } from "../src/crawl/CrawlScope.ts"

const same = { sameDomainOnly: true, includeSubdomains: false }
const below = { sameDomainOnly: true, includeSubdomains: true }

describe("CrawlScope", () => {
  for (const [scope, root, url, expected] of [
    [same, "http://a.example/x", "https://a.example/y", true],
    [same, "http://a.example/", "http://b.a.example/", false],
    [same, "http://a.example/", "http://a.example:8080/", false],
    [same, "http://a.example/", "http://aa.example/", false],
    [below, "http://a.example/", "http://b.a.example/", true],
    [below, "http://www.a.example/", "http://docs.a.example/", true],
    [below, "http://www.a.example/", "http://a.example/", true],
    [below, "http://a.example/", "http://ba.example/", false],
    [below, "http://a.example/", "http://example/", false],
    [below, "http://10.0.0.1/", "http://1.10.0.0.1.example/", false],
    [{ sameDomainOnly: false, includeSubdomains: false }, "http://a.example/", "http://b.example/", true]
  ] as const) {
    it(`${url} from ${root}, subdomains ${scope.includeSubdomains}: ${expected}`, () =>
      assert.strictEqual(inScope(scope, [root], url), expected))
  }
})
