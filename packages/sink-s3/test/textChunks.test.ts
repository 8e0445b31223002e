import { createGzip, gunzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { collectChunks } from "../src/collectChunks.ts"
import { textChunks } from "../src/textChunks.ts"

/** Texts of every length about the size of a chunk, in every script. */
const texts = fc.array(
  fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 40 }),
    fc.nat({ max: 200 }).map((length) => "é漢".repeat(length))
  ),
  { maxLength: 60 }
)

describe("texts in chunks", () => {
  it("are the texts, in chunks no larger than they have to be", () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 16, max: 200 }), (texts, size) => {
        const chunks = Array.from(textChunks(texts, size), (chunk) => Buffer.from(chunk))
        assert.strictEqual(Buffer.concat(chunks).toString(), texts.join(""))
        const longest = Math.max(size, ...texts.map((text) => Buffer.byteLength(text)))
        assert.isTrue(chunks.every(({ length }) => length > 0 && length <= longest))
      }),
      { seed: 1 }
    )
  })

  it("are taken by a compressor while the next are made, and are what they were", async () => {
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 16, max: 200 }), async (texts, size) => {
        const compressed = await collectChunks(textChunks(texts, size), createGzip())
        assert.strictEqual(gunzipSync(compressed).toString(), texts.join(""))
        assert.strictEqual(Buffer.from(await collectChunks(textChunks(texts, size))).toString(), texts.join(""))
      }),
      { seed: 1 }
    )
  })

  it("fail as what makes them fails, and as what takes them does", async () => {
    const broken = function* (): Generator<Uint8Array> {
      yield Buffer.from("one")
      throw new Error("no more")
    }
    const failure = (work: Promise<unknown>) =>
      work.then(
        () => "",
        (cause: Error) => cause.message
      )
    assert.strictEqual(await failure(collectChunks(broken(), createGzip())), "no more")
    const gone = createGzip()
    gone.destroy(new Error("gone"))
    assert.strictEqual(await failure(collectChunks([Buffer.from("one"), Buffer.from("two")], gone)), "gone")
  })
})
