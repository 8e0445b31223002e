import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { KeySet } from "../src/record/KeySet.ts"

/** Keys that collide, the empty slot's own value, both ends of the range, and any. */
const keys = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n)),
  fc.bigInt({ min: 0n, max: 40n }).map((high) => high << 32n),
  fc.bigInt({ min: 0n, max: 3n }).map((high) => (high << 32n) | 1023n),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
)

describe("KeySet", () => {
  it("does what a Set does", () => {
    const property = fc.property(
      fc.array(keys, { maxLength: 400 }),
      fc.array(keys, { maxLength: 20 }),
      (added, asked) => {
        const set = new KeySet()
        const model = new Set<bigint>()
        for (const key of added) {
          assert.strictEqual(set.add(key), !model.has(key))
          model.add(key)
          assert.strictEqual(set.size, model.size)
        }
        for (const key of [...added, ...asked]) assert.strictEqual(set.has(key), model.has(key))
        assert.sameMembers([...set], [...model])
      }
    )
    fc.assert(property, { seed: 11, numRuns: 300 })
  })

  it("grows past its first slots without losing any", () => {
    const set = new KeySet()
    // odd multiples spread over all bits, yet are the same each time
    const key = (index: number) => BigInt.asIntN(64, BigInt(index) * 0x9e3779b97f4a7c15n)
    for (let index = 0; index < 20_000; index++) assert.isTrue(set.add(key(index)))
    for (let index = 0; index < 20_000; index++) assert.isTrue(set.has(key(index)))
    assert.isFalse(set.has(key(20_000)))
    assert.strictEqual(set.size, 20_000)
  })
})
