import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { encodeRows, largerOfTwo } from "../src/database/CopyBinary.ts"

const writeTexts = (copy: Parameters<Parameters<typeof encodeRows>[1]>[0], texts: ReadonlyArray<string>) => {
  for (const text of texts) {
    copy.row(1)
    copy.text(text)
  }
}

/** COPY's format once more, all at once. */
const encoded = (rows: ReadonlyArray<ReadonlyArray<string>>): Buffer => {
  const header = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1")
  const row = (text: string) => {
    const bytes = Buffer.from(text)
    const head = Buffer.alloc(6)
    head.writeInt16BE(1)
    head.writeInt32BE(bytes.length, 2)
    return Buffer.concat([head, bytes])
  }
  return Buffer.concat([header, ...rows.flat().map(row), Buffer.from([0xff, 0xff])])
}

const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 200 }) },
  { weight: 3, arbitrary: fc.integer({ min: 1_000, max: 90_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 200_000, max: 700_000 }) }
)
const text = fc.tuple(size, fc.constantFrom("a", "é", "水")).map(([size, deadLetter]) => deadLetter.repeat(size))
/** Some items are one row and some are many, as the links of a page are. */
const rows = fc.array(fc.array(text, { maxLength: 12 }), { maxLength: 12 })

describe("encodeRows", () => {
  it("leaves a chunk as it is until the next but one is asked for", () => {
    fc.assert(
      fc.property(rows, (rows) => {
        const read: Array<Uint8Array> = []
        let held: Uint8Array | undefined
        for (const chunk of encodeRows(rows, writeTexts)) {
          // The one before is read now, when this one has been made.
          if (held !== undefined) read.push(Buffer.from(held))
          held = chunk
        }
        if (held !== undefined) read.push(held)
        assert.isTrue(Buffer.concat(read).equals(encoded(rows)))
      }),
      { numRuns: 60 }
    )
  })

  it("makes no two small chunks in a row: a socket would take them both without being waited for", () => {
    fc.assert(
      fc.property(rows, (rows) => {
        const sizes = Array.from(encodeRows(rows, writeTexts), ({ length }) => length)
        for (const [at, size] of sizes.slice(0, -1).entries()) {
          if (at > 0) assert.isAbove(Math.max(size, sizes[at - 1]!), largerOfTwo)
        }
      }),
      { numRuns: 60 }
    )
  })

  it("writes into the same memory again", () => {
    const items = Array.from({ length: 2000 }, () => ["a".repeat(4000)])
    const memories = new Set<ArrayBufferLike>()
    for (const { buffer } of encodeRows(items, writeTexts)) memories.add(buffer)
    assert.isAtMost(memories.size, 3)
  })
})
