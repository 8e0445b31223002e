import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { childText, parseXml, xmlDocument } from "../../src/s3/Xml.ts"

/** What XML 1.0 can hold. */
const xmlText = fc
  .string({ unit: "binary", maxLength: 40 })
  .map((text) => text.replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, ""))

describe("XML of S3", () => {
  it("gives back every key it was given, with its spaces", () => {
    fc.assert(
      fc.property(fc.array(xmlText, { minLength: 1, maxLength: 5 }), xmlText, (keys, quiet) => {
        const document = xmlDocument("Delete", { Object: keys.map((Key) => ({ Key })), Quiet: quiet })
        const root = parseXml(document.toString())
        assert.strictEqual(root?.name, "Delete")
        const objects = root?.children.filter(({ name }) => name === "Object") ?? []
        assert.deepStrictEqual(
          objects.map((object) => childText(object, "Key")),
          keys
        )
      }),
      { examples: [[["&#65;", "]]>", "<Key>", "a\r\nb", " ", "&amp;lt;", "\u{1f600}"], ""]] }
    )
  })

  it("reads entities, character data and comments as text", () => {
    const root = parseXml('<?xml version="1.0"?><a b="c"><k>&lt;&#x41;&#66;<![CDATA[<x>]]><!-- y --></k></a>')
    assert.strictEqual(root === undefined ? undefined : childText(root, "k"), "<AB<x>")
  })

  it("refuses what is not well-formed, and a document type", () => {
    for (const document of [
      "",
      "text",
      "<a>",
      "<a></b>",
      "<a/><b/>",
      "<a/>text",
      "<a><b></a></b>",
      "<__proto__/>",
      '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'
    ])
      assert.isUndefined(parseXml(document), document)
  })
})
