/** Shorter texts are alike by chance. */
const leastText = 200
const linkTargets = /\]\([^)]*\)/g

/** Tells texts from each other, wherever their links lead; none for a text too short to say that two are the same. */
export const textHash = (markdown: string): string | undefined => {
  const text = markdown.replace(linkTargets, "]")
  if (text.length < leastText) return undefined
  // FNV-1a, twice 32 bits from two starts.
  let a = 0x811c9dc5
  let b = 0x01234567
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    a = Math.imul(a ^ code, 0x01000193)
    b = Math.imul(b ^ code, 0x01000193) ^ (b >>> 15)
  }
  return `${text.length}.${a >>> 0}.${b >>> 0}`
}
