import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { htmlOf, phrases, places } from "./phrases.ts"
import { type Reader, readBack, shownText, written } from "./ReadBack.ts"

/** An image in a block of code, and what an address in the text swallows on GitHub, are lost. */
const isBeyond = (html: string, reader: Reader) =>
  (html.includes("<code>") && /<(?:br|img)/.test(html)) || (reader === "GFM" && /https:|www[.]/.test(html))

describe("text as Markdown", () => {
  for (const [reader, runs] of [
    ["markdown-it", 1500],
    ["CommonMark", 500],
    ["GFM", 500]
  ] as const) {
    it(`reads back as it was by ${reader}, whatever it says and is marked with`, () => {
      fc.assert(
        fc.property(phrases, fc.constantFrom(...places), (said, place) => {
          const html = htmlOf(said, place)
          // CommonMark has neither tables nor strikethrough.
          fc.pre(!isBeyond(html, reader) && !(reader === "CommonMark" && (place === "td" || html.includes("<s>"))))
          const markdown = written(html)
          assert.strictEqual(shownText(readBack(reader, markdown)), shownText(html), markdown)
        }),
        { numRuns: runs }
      )
    })
  }

  it("has no character reference that the page's text has not", () => {
    fc.assert(
      fc.property(phrases, fc.constantFrom(...places), (said, place) => {
        const html = htmlOf(said, place)
        const references = (text: string) => text.match(/&#?\w+;/g)?.length ?? 0
        assert.isAtMost(references(written(html)), references(shownText(html)))
      }),
      { numRuns: 500 }
    )
  })

  for (const [html, markdown] of [
    ["<strong>注意：</strong>これは", "**注意**：これは"],
    ["これは<b>「重要」</b>です", "これは「**重要**」です"],
    ["これは<b><a href=x>表</a></b>です", "これは[**表**](https://site.example/dir/x)です"],
    ["これは<b><code>x</code></b>です", "これは<strong>`x`</strong>です"],
    ["a<em>(b)</em>c", "a(*b*)c"],
    ["<b>a</b><i>b</i>", "**a**<em>b</em>"],
    ["<b>https://a.example</b>。", "<strong>https://a.example</strong>。"]
  ] as const) {
    it(`writes emphasis that a parser reads: ${markdown}`, () => assert.strictEqual(written(html), `${markdown}\n`))
  }

  it("has a backslash before nothing that means nothing where it is", () => {
    const plain = [
      "https://a.example/x_y_z?a=1&b=2 and www.a.example and a@b.example",
      "AT&T, R&D, a & b, &c, &nosuch;",
      "snake_case_name, *args and **kwargs, a * b * c, x_ and _private, ~/dir, ~5",
      "2*3 is 6, not 2 * 12",
      "[1] [a][b] [x] (y) f[i] wow! (a) [b",
      "C:\\Users\\x, a < b, a <= b, <3",
      "C# #1 1.5 - + = > | ` x",
      "a ` b, it's 5`` long"
    ]
    for (const text of plain) {
      const html = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
      assert.strictEqual(written(`<p>${html}</p>`), `${text}\n`)
      assert.strictEqual(written(`<h2>${html}</h2>`), `## ${text}\n`)
    }
  })

  it("has a backslash before what would mean something", () => {
    const unescaped = [
      "__init__",
      "*a*",
      "~~a~~",
      "`a`",
      "[a](b)",
      "![a](b)",
      "<b>",
      "&copy;",
      "&#42;",
      "\\*",
      "# a",
      "> a",
      "- a",
      "+ a",
      "1. a",
      "1) a",
      "***",
      "---",
      "```",
      "[a]: /b",
      "<!-- a -->",
      "<a@b.example>",
      "<div"
    ]
    for (const text of unescaped) {
      const html = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
      for (const reader of ["markdown-it", "CommonMark", "GFM"] as const) {
        const markdown = written(`<p>${html}</p>`)
        assert.include(markdown, "\\")
        assert.strictEqual(shownText(readBack(reader, markdown)), text)
        // Without the backslashes something else is read.
        if (reader === "GFM") {
          assert.notStrictEqual(readBack(reader, markdown.replace(/\\(?=[^\\])/g, "")), readBack(reader, markdown))
        }
      }
    }
  })
})
