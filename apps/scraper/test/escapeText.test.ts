import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { PhrasingContent, Root } from "mdast"
import { gfmToMarkdown } from "mdast-util-gfm"
import { toMarkdown } from "mdast-util-to-markdown"
import { text } from "../src/conversion/escapeText.ts"

describe("TextEscape", () => {
  it("writes every text as the writer does that it saves the work", () => {
    const words = fc
      .array(
        fc.constantFrom(
          "a",
          "w",
          "www",
          "http",
          "1",
          "12",
          "é",
          "茶",
          " ",
          "  ",
          ".",
          ",",
          "-",
          "*",
          "_",
          "#",
          ";",
          "?",
          "\n",
          "&",
          "%"
        ),
        {
          minLength: 1,
          maxLength: 6
        }
      )
      .map((parts): PhrasingContent => ({ type: "text", value: parts.join("") }))
    const phrasing = fc.array(
      fc.oneof(
        { weight: 3, arbitrary: words },
        words.map((word): PhrasingContent => ({ type: "strong", children: [word] })),
        words.map((word): PhrasingContent => ({ type: "link", url: "https://a.example/", children: [word] })),
        fc.constant<PhrasingContent>({ type: "break" }),
        fc.constant<PhrasingContent>({ type: "inlineCode", value: "c" })
      ),
      { minLength: 1, maxLength: 4 }
    )
    const block = fc.oneof(
      phrasing.map((children): Root["children"][number] => ({ type: "paragraph", children })),
      phrasing.map((children): Root["children"][number] => ({ type: "heading", depth: 2, children }))
    )
    const gfm = gfmToMarkdown()
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 2 }), (children) => {
        const root: Root = { type: "root", children }
        assert.strictEqual(
          toMarkdown(root, { extensions: [gfm, { handlers: { text } }] }),
          toMarkdown(root, { extensions: [gfm] })
        )
      }),
      { numRuns: 2000 }
    )
  })
})
