import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { PageErrorCode } from "../src/index.ts"

describe("the table of error codes", () => {
  it("has each that a page can end with, in their order, and no other", () => {
    const docs = readFileSync(new URL("../../../docs/reference/scraper.md", import.meta.url), "utf8")
    const section = docs.slice(docs.indexOf("\n## Errors of pages"), docs.indexOf("\n## Rendering"))
    const listed = Array.from(
      section.matchAll(/^\| `([A-Z_]+)` \| .+ \| (?:yes|no|no; yes|yes; no) \|$/gm),
      ([, code]) => code
    )
    assert.deepStrictEqual(listed, [...PageErrorCode.literals])
  })
})
