import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { parseHtml } from "../../apps/scraper/src/conversion/HtmlDocument.ts"
import { markdownOf } from "../../apps/scraper/src/conversion/Markdown.ts"
import { corpus } from "./Corpus.ts"
import { productScore } from "./productScores.ts"
import { renderMarkdown } from "./RenderedMarkdown.ts"
import { meanOf, score } from "./Score.ts"

const Recorded = Schema.Record(Schema.String, Schema.Struct({ page: Schema.Finite, main: Schema.Finite }))
const recorded = Schema.decodeUnknownSync(Schema.fromJsonString(Recorded))(
  readFileSync(new URL("./fixtures/scores.json", import.meta.url), "utf8")
)

describe("what survives of a page as Markdown", () => {
  const pages = corpus()

  it("is no less than what was recorded of any page of the corpus", () => {
    assert.sameMembers(
      Object.keys(recorded),
      pages.map(({ name }) => name)
    )
    for (const extent of ["page", "main"] as const) {
      const fallen = pages.flatMap((page) => {
        const [before, after] = [recorded[page.name]?.[extent] ?? 0, productScore(page, extent)]
        return after < before - 0.05 ? [`${page.name}: ${before} to ${after}`] : []
      })
      assert.deepStrictEqual(fallen, [], extent)
    }
  })

  it("scores less for every line that is lost, and for text that is not the page's", () => {
    const page = pages.find(({ name }) => name === "blog-wordpress")!
    const markdown = markdownOf(parseHtml(page.html, page.url))
    const scoreOf = (text: string) => meanOf(score(page.expected, renderMarkdown(text, page.url)))
    assert.strictEqual(scoreOf(markdown), 1)
    const lines = markdown.split("\n")
    for (const [index, line] of lines.entries()) {
      // A fence is not told from the end of the page.
      if (!/[\p{L}\p{N}]/u.test(line)) continue
      assert.isBelow(scoreOf(lines.toSpliced(index, 1).join("\n")), 1, line)
    }
    assert.isBelow(scoreOf(`${markdown}\n\nwindow.dataLayer = window.dataLayer || []`), 1)
  })
})
