/** Slots of a new set; a power of two. */
const firstCapacity = 1024
/** A table fuller than this grows. */
const loadFactor = 0.6

/**
 * A set of signed 64-bit keys in one typed array: 8 bytes a slot, 14 to 27 bytes a key, where a `Set<bigint>` takes some
 * hundred. Keys are hashes already, so their low bits pick the slot.
 */
export class KeySet implements Iterable<bigint> {
  #slots = new BigInt64Array(firstCapacity)
  #mask = firstCapacity - 1
  #size = 0
  #hasZero = false

  /** How many keys it holds. */
  get size(): number {
    return this.#size
  }

  /** Adds a key; false if it was there. */
  add(key: bigint): boolean {
    if (key === 0n) {
      if (this.#hasZero) return false
      this.#hasZero = true
      this.#size++
      return true
    }
    const slot = this.#find(key)
    if (this.#slots[slot] === key) return false
    this.#slots[slot] = key
    this.#size++
    if (this.#size > this.#slots.length * loadFactor) this.#grow()
    return true
  }

  /** Whether a key is there. */
  has(key: bigint): boolean {
    return key === 0n ? this.#hasZero : this.#slots[this.#find(key)] === key
  }

  *[Symbol.iterator](): Iterator<bigint> {
    if (this.#hasZero) yield 0n
    for (const key of this.#slots) if (key !== 0n) yield key
  }

  #find(key: bigint): number {
    let slot = Number(BigInt.asUintN(32, key)) & this.#mask
    for (;;) {
      const held = this.#slots[slot]
      if (held === key || held === 0n) return slot
      slot = (slot + 1) & this.#mask
    }
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new BigInt64Array(old.length * 2)
    this.#mask = this.#slots.length - 1
    for (const key of old) if (key !== 0n) this.#slots[this.#find(key)] = key
  }
}
