/** Numbers that look random and are the same for the same seed: from 0 up to, not including, 1. */
export type Rng = () => number

/** Rng of a seed; further parts make dice of their own, so that one use does not shift another. */
export const makeRng = (...seed: ReadonlyArray<number | string>): Rng => {
  let state = hash32(seed.join("\n"))
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A whole number from 0 up to, not including, `below`. */
export const roll = (next: Rng, below: number): number => Math.floor(next() * below)

/** The same members in an order of the dice. */
export const shuffled = <A>(next: Rng, members: ReadonlyArray<A>): Array<A> => {
  const out = [...members]
  for (let i = out.length - 1; i > 0; i--) {
    const j = roll(next, i + 1)
    const held = out[i]!
    out[i] = out[j]!
    out[j] = held
  }
  return out
}

/** The n-th UUID of a seed. */
export const uuid = (seed: number, n: number): string => {
  const next = makeRng(seed, "uuid", n)
  const hex = Array.from({ length: 32 }, () => roll(next, 16).toString(16)).join("")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
}

const hash32 = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
