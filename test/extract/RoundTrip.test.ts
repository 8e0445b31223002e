import { assert, describe, it } from "@effect/vitest"
import { corpus } from "./Corpus.ts"
import { roundTripDifference } from "./roundTrip.ts"

/** Pages whose Markdown says something else than a browser shows, and why it should. */
const exceptions = new Map([
  ["doxygen-class", "tooltips of code are skipped, which without a style sheet are below it"],
  ["rustdoc-trait", "the button that copies a path is kept, which the annotation of the page takes for no text"],
  ["lists-nested", "a text that looks like the box of a task is one to the reader that the scores use"],
  ["media-and-details", "an image within the page, which has no address, is told by its alternative text"]
])

describe("Markdown that is read back", () => {
  it("says what a browser shows, but for white space, of every page that is not an exception", () => {
    const different = corpus().flatMap((page) => {
      const difference = roundTripDifference(page)
      return difference === undefined ? [] : [`${page.name}: ${difference}`]
    })
    assert.deepStrictEqual(
      different.filter((each) => !exceptions.has(each.slice(0, each.indexOf(":")))),
      []
    )
    assert.strictEqual(different.length, exceptions.size)
  })
})
