import { hash } from "node:crypto"

/** Shorter texts are alike by chance. */
const leastText = 200
const linkTargets = /\]\([^)]*\)/g

/** Tells texts from each other, wherever their links lead; none for a text too short to say that two are the same. */
export const textHash = (markdown: string): string | undefined => {
  const text = markdown.replace(linkTargets, "]")
  if (text.length < leastText) return undefined
  return hash("sha256", text, "base64url")
}
