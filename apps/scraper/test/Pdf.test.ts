import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { testScraper } from "./TestScraper.ts"
import { testSite } from "./TestSite.ts"

/** A PDF file of pages with a line of text each, and a link on the first. */
const pdf = (lines: ReadonlyArray<string>, link: string): Buffer => {
  const kids = lines.map((_, at) => `${4 + at * 2} 0 R`).join(" ")
  const objects = [
    "<</Type/Catalog/Pages 2 0 R>>",
    `<</Type/Pages/Kids[${kids}]/Count ${lines.length}>>`,
    "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ...lines.flatMap((line, at) => {
      const text = `BT /F 12 Tf 72 700 Td (${line}) Tj ET`
      const uri = `<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(${link})>>>>`
      const annotation = at > 0 ? "" : `/Annots[${uri}]`
      const resources = "/MediaBox[0 0 612 792]/Resources<</Font<</F 3 0 R>>>>"
      return [
        `<</Type/Page/Parent 2 0 R${resources}/Contents ${5 + at * 2} 0 R${annotation}>>`,
        `<</Length ${text.length}>>stream\n${text}\nendstream`
      ]
    })
  ]
  let file = "%PDF-1.4\n"
  const places = objects.map((object, at) => {
    const place = file.length
    file += `${at + 1} 0 obj\n${object}\nendobj\n`
    return `${String(place).padStart(10, "0")} 00000 n \n`
  })
  const start = file.length
  const size = objects.length + 1
  file += `xref\n0 ${size}\n0000000000 65535 f \n${places.join("")}trailer\n<</Size ${size}/Root 1 0 R>>\n`
  return Buffer.from(`${file}startxref\n${start}\n%%EOF\n`, "latin1")
}

describe("a PDF file", () => {
  it.live("gives its text and its links, and fails where it is damaged", () =>
    Effect.gen(function* () {
      const body = pdf(["first page", "second page"], "http://a.example/x")
      const headers = { "content-type": "application/pdf" }
      const site = yield* testSite({
        "/file.pdf": { headers, body },
        "/download": { headers: { "content-type": "application/octet-stream" }, body },
        "/damaged.pdf": { headers, body: "%PDF-1.4\nnothing else" }
      })
      const client = yield* testScraper()
      for (const path of ["/file.pdf", "/download"]) {
        const answer = yield* client.extract.createExtraction({ payload: { url: site.url(path), extract_links: true } })
        if (!("data" in answer)) return assert.fail("not synchronous")
        assert.strictEqual(answer.data.markdown, "first page\n\nsecond page\n")
        assert.deepStrictEqual(answer.data.links, ["http://a.example/x"])
      }
      const failure = yield* Effect.flip(
        client.extract.createExtraction({ payload: { url: site.url("/damaged.pdf") } })
      )
      assert.strictEqual("code" in failure ? failure.code : "", "CONVERSION_ERROR")
    })
  )
})
