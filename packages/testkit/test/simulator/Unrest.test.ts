import { assert, describe, it } from "@effect/vitest"
import { crawlHistory, type JobHistory, makeSite, reordering } from "../../src/simulator/index.ts"

const history = crawlHistory(makeSite({ pages: 60 }), { perPoll: 20 })
const urls = (job: JobHistory, poll: number) => {
  const { rows } = job.at(poll)!
  return rows.slice(0, rows.length).map(({ url }) => url)
}

describe("reordering", () => {
  it("lists a running job in the order asked for, and one that has ended as it was", () => {
    const steady = urls(history, 1)
    const inOrder = (order: "newest-first" | "flipping" | "shuffled") =>
      reordering({ seed: 3, order, repeated: 0 }, history)
    assert.deepStrictEqual(urls(inOrder("newest-first"), 1), steady.toReversed())
    assert.deepStrictEqual(urls(inOrder("flipping"), 1), steady.toReversed())
    assert.deepStrictEqual(urls(inOrder("flipping"), 2), urls(history, 2))
    const mixed = urls(inOrder("shuffled"), 1)
    assert.notDeepEqual(mixed, steady)
    assert.sameMembers(mixed, steady)
    assert.deepStrictEqual(urls(inOrder("shuffled"), 1), mixed)
    for (const order of ["newest-first", "flipping", "shuffled"] as const) {
      assert.deepStrictEqual(urls(inOrder(order), 5), urls(history, 5))
    }
  })

  it("lists rows twice while the job runs", () => {
    const twice = reordering({ seed: 3, order: "steady", repeated: 1 }, history)
    assert.lengthOf(urls(twice, 1), 2 * urls(history, 1).length)
    assert.sameMembers([...new Set(urls(twice, 1))], urls(history, 1))
    assert.deepStrictEqual(urls(twice, 4), urls(history, 4))
  })
})
