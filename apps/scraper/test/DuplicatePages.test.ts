import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { addsUp, crawl, rowsOf, testScraper } from "./TestScraper.ts"
import { testSite } from "./TestSite.ts"

const text = (about: string) =>
  `<p>${`This is the page about ${about}, and it says enough to be told from others. `.repeat(5)}</p>`
const article = (about: string, canonical: string | undefined, ...links: ReadonlyArray<string>) =>
  `<html><head>${canonical === undefined ? "" : `<link rel="canonical" href="${canonical}">`}</head><body>${text(about)}${links
    .map((link) => `<a href="${link}">link</a>`)
    .join("")}</body></html>`

const pages = {
  "/": article(
    "home",
    "/",
    "/shoes",
    "/print/shoes",
    "/amp/shoes",
    "/copy",
    "/list?page=1",
    "/list?page=2",
    "/s",
    "/t"
  ),
  "/shoes": article("shoes", undefined),
  "/print/shoes": article("shoes", "/shoes"),
  "/amp/shoes": article("shoes", "/shoes#top"),
  // Says the same, and names nothing.
  "/copy": article("shoes", undefined),
  // Names another as canonical, as many do, and says something else.
  "/list?page=1": article("the first ten", "/list?page=1"),
  "/list?page=2": article("the next ten", "/list?page=1"),
  // Say little.
  "/s": "<p>soon</p>",
  "/t": "<p>soon</p>"
}

describe("pages that are one under several URLs", () => {
  for (const [mode, dropped] of [
    ["keep", []],
    ["canonical", ["/print/shoes", "/amp/shoes"]],
    ["content", ["/print/shoes", "/amp/shoes", "/copy"]]
  ] as const) {
    it.live(`are ${dropped.length === 0 ? "kept" : "one row"} by ${mode}`, () =>
      Effect.gen(function* () {
        const site = yield* testSite(pages)
        const client = yield* testScraper({ duplicates: mode, pageConcurrency: 1 })
        const job = yield* crawl(client, { url: site.url("/"), depth: 2 })
        const left: ReadonlyArray<string> = dropped
        assert.deepStrictEqual(
          rowsOf(job),
          Object.keys(pages)
            .filter((path) => !left.includes(path))
            .map((path) => `${path} completed`)
        )
        assert.isTrue(addsUp(job))
      })
    )
  }
})
