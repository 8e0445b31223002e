import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { robotsForm } from "../src/fetching/RobotsPattern.ts"
import { RobotsRules, type RobotsVerdict } from "../src/fetching/RobotsRules.ts"
import { googleCases, type RobotsCase, rfcCases } from "./robotsCases.ts"

const origin = "https://site.example"
const bytes = (text: string) => new TextEncoder().encode(text)

/** How often a judgement let others have their turn, how long it took between two of these, and what it came to. */
const judged = (rules: RobotsRules, url: string) => {
  const judging = rules.judge(url)
  let turns = 0
  let longestMs = 0
  while (true) {
    const startedAt = performance.now()
    const step = judging.next()
    longestMs = Math.max(longestMs, performance.now() - startedAt)
    if (step.done) return { verdict: step.value, turns, longestMs }
    turns++
  }
}
const verdictOf = (body: Uint8Array, path: string, crawler = "FooBot"): RobotsVerdict =>
  judged(new RobotsRules(body, crawler), origin + path).verdict

const checks = ({ allowed = [], crawler, forbidden = [], name, text }: RobotsCase) =>
  it(name, () => {
    for (const path of allowed) assert.strictEqual(verdictOf(bytes(text), path, crawler), "allowed", path)
    for (const path of forbidden) assert.strictEqual(verdictOf(bytes(text), path, crawler), "forbidden", path)
  })

describe("robots.txt as Google's parser has it", () => {
  for (const each of googleCases) checks(each)
})

describe("robots.txt by RFC 9309", () => {
  for (const each of rfcCases) checks(each)

  it("compares octets, whatever their encoding", () => {
    const latin = Buffer.from("user-agent: *\ndisallow: /caf\xe9\n", "latin1")
    assert.strictEqual(verdictOf(latin, "/caf%E9"), "forbidden")
    assert.strictEqual(verdictOf(latin, "/café"), "allowed")
  })

  it("reads files with byte-order marks of other encodings, and with a part of one", () => {
    const text = "user-agent: *\ndisallow: /ツ\n"
    const little = Buffer.from(`\uFEFF${text}`, "utf16le")
    for (const body of [little, Buffer.from(little).swap16(), Buffer.from(`\xef\xbb${text}`, "latin1")]) {
      const path = body.includes(0) ? "/%E3%83%84" : "/\u00c4"
      assert.strictEqual(verdictOf(body, path), body.includes(0) ? "forbidden" : "allowed")
    }
    assert.strictEqual(verdictOf(Buffer.from("\xef\xbbuser-agent: *\ndisallow: /\n", "latin1"), "/"), "forbidden")
  })

  it("lists sitemaps, wherever they stand, and the longest delay", () => {
    const text =
      "Sitemap: /a\nuser-agent: *\ncrawl-delay: 2\nSite-map: https://x.example/b?c:d\ncrawl-delay: 1.5\ndisallow: /\n"
    const rules = new RobotsRules(bytes(text), "FooBot")
    assert.deepStrictEqual(rules.sitemaps, ["/a", "https://x.example/b?c:d"])
    assert.strictEqual(rules.crawlDelay, 2)
  })

  it("decides as a plain reading of the RFC does, whatever the rules", () => {
    const text = fc.array(fc.constantFrom("a", "b", "/", "~", "%7e", "%61", "é", "*", "$"), { maxLength: 5 })
    const path = fc.array(fc.constantFrom("a", "b", "/", "%7E", "~", "%C3%A9"), { maxLength: 6 })
    const rule = fc.record({ isAllow: fc.boolean(), path: text.map((parts) => `/${parts.join("")}`) })
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 6 }), path, (rules, parts) => {
        const url = `/${parts.join("")}`
        const lines = rules.map((each) => `${each.isAllow ? "allow" : "disallow"}: ${each.path}`)
        const body = bytes(`user-agent: *\n${lines.join("\n")}\n`)
        // A reading by regular expressions, of octets that are letters of their own.
        const plain = (octets: string) =>
          octets.replace(/%7e/gi, "~").replace(/%61/g, "a").replaceAll("é", "E").replaceAll("%C3%A9", "E")
        const written = ({ path: asked }: { readonly path: string }) => plain(asked).replaceAll("E", "%C3%A9").length
        const matching = rules.filter((each) => {
          const whole = plain(each.path)
          const pattern = whole.replace(/\$$/, "").replace(/[.$]/g, "\\$&").replace(/\*+/g, ".*")
          return new RegExp(`^${pattern}${whole.endsWith("$") ? "$" : ""}`).test(plain(url))
        })
        const most = Math.max(...matching.map(written))
        const best = matching.filter((each) => written(each) === most)
        const expected = best.length === 0 || best.some(({ isAllow }) => isAllow) ? "allowed" : "forbidden"
        assert.strictEqual(verdictOf(body, url), expected)
      }),
      { numRuns: 500 }
    )
  })

  const octets = fc.constantFrom(..."/?&=+~:;@%$*[]aZ09-._ ", "%7E", "%2f", "%3f", "%C3%A9")
  const pathText = fc.array(octets, { maxLength: 12 }).map((parts) => parts.join(""))

  it("compares in a form that does not change any more, and that escapes do not change", () => {
    fc.assert(
      fc.property(pathText, fc.boolean(), (path, isQuery) => {
        const form = robotsForm(path, isQuery)
        assert.strictEqual(robotsForm(form, isQuery), form)
        const escaped = path.replace(/Z/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)
        assert.strictEqual(robotsForm(escaped, isQuery), form)
      })
    )
  })
})

describe("a robots.txt made to take long", () => {
  const names = Array.from({ length: 26 * 26 * 26 }, (_, index) => {
    const letter = (at: number) => String.fromCharCode(97 + (at % 26))
    return letter(index) + letter(Math.floor(index / 26)) + letter(Math.floor(index / 676))
  })
  const hostile = {
    "many wildcards": names.map((name) => `disallow: *a${name}b*${name}`),
    "wildcards in one rule": Array.from({ length: 4 }, () => `disallow: ${"*a".repeat(60_000)}b`),
    "nearly the path": names.map((name) => `disallow: /*${"a".repeat(20)}${name}`),
    "long beginnings": names.slice(0, 1000).map((name, index) => `disallow: /${"a".repeat(index)}${name}`)
  }
  for (const [name, lines] of Object.entries(hostile)) {
    it(name, () => {
      const body = bytes(`user-agent: *\n${lines.join("\n")}`.slice(0, 500 * 1024))
      const rules = new RobotsRules(body, "FooBot")
      const { longestMs, turns, verdict } = judged(rules, `${origin}/${"a".repeat(8000)}`)
      // Work is cut into turns: the longest is a small part of all of it, on any machine.
      assert.isBelow(longestMs, 500)
      assert.isAtMost(turns, 101)
      if (name === "many wildcards") {
        assert.isAbove(turns, 50)
        assert.strictEqual(verdict, "unknown")
      }
    })
  }
})
