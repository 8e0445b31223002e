import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { HttpClientRequest, HttpClientResponse } from "effect/http"
import fc from "fast-check"
import { bodyOf, parse } from "../src/api/body.ts"

/** An answer whose body comes in pieces, none before the last was read. */
const answer = (pieces: ReadonlyArray<Uint8Array>) => {
  const left = [...pieces]
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const piece = left.shift()
      if (piece === undefined) controller.close()
      else controller.enqueue(piece)
    }
  })
  return HttpClientResponse.fromWeb(HttpClientRequest.get("https://api.test/"), new Response(body))
}

const cut = (bytes: Uint8Array, at: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const edges = [0, ...at.map((edge) => edge % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return edges.slice(1).map((edge, n) => bytes.slice(edges[n], edge))
}

const bodyJson = (answer: HttpClientResponse.HttpClientResponse) => Effect.flatMap(bodyOf(answer), parse)

const encode = (text: string) => new TextEncoder().encode(text)

describe("the body of an answer", () => {
  it("is what the body says, wherever its pieces end and however many are read at once", async () => {
    const json = fc.record({ text: fc.string({ unit: "binary" }), list: fc.array(fc.string({ unit: "grapheme" })) })
    const bodies = fc.array(fc.tuple(json, fc.array(fc.nat(), { maxLength: 5 })), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(bodies, async (bodies) => {
        const read = await Effect.runPromise(
          Effect.forEach(bodies, ([value, at]) => bodyJson(answer(cut(encode(JSON.stringify(value)), at))), {
            concurrency: "unbounded"
          })
        )
        assert.deepStrictEqual(
          read,
          bodies.map(([value]) => JSON.parse(JSON.stringify(value)))
        )
      }),
      { numRuns: 60 }
    )
  })

  it.effect("may be larger than what is read again and again in one place, and smaller afterwards", () =>
    Effect.gen(function* () {
      for (const size of [10, 1_048_574, 1_048_575, 3_000_000, 7]) {
        const value = "é".repeat(size / 2)
        assert.strictEqual(yield* bodyJson(answer(cut(encode(JSON.stringify(value)), [size / 3, size / 2]))), value)
      }
    })
  )

  it.effect("may begin with a byte order mark", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* bodyJson(answer([encode('\uFEFF{"a":1}')])), { a: 1 })
    })
  )

  it.effect("that is no JSON, or none at all, is told without a word of it", () =>
    Effect.gen(function* () {
      for (const body of ["", "<html>canary", '{"canary":']) {
        const error = yield* Effect.flip(bodyJson(answer([encode(body)])))
        assert.strictEqual(error._tag, "Unreadable")
        assert.notInclude(JSON.stringify(error), "canary")
      }
    })
  )
})
