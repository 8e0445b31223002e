import { hash } from "node:crypto"

const bytes = new DataView(new ArrayBuffer(8))

/**
 * The first eight bytes of a text's SHA-256, as a signed number. They are read out of its hexadecimal form: a buffer for each,
 * which lies outside the heap, costs twice the hash of a URL.
 */
export const hash64 = (text: string): bigint => {
  const hex = hash("sha256", text, "hex")
  bytes.setUint32(0, Number.parseInt(hex.slice(0, 8), 16))
  bytes.setUint32(4, Number.parseInt(hex.slice(8, 16), 16))
  return bytes.getBigInt64(0)
}
