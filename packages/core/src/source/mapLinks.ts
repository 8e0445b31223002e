/**
 * The URLs of a map as they can be asked for: resolved against the map's own, without fragments, each once and in the order of the
 * answer. What is empty, no URL, or of another scheme than http and https is skipped.
 */
export const mapLinks = (links: ReadonlyArray<string>, base: string): ReadonlyArray<string> => {
  const found = new Set<string>()
  for (const link of links) {
    const text = link.trim()
    if (text === "" || !URL.canParse(text, base)) continue
    const url = new URL(text, base)
    if (url.protocol !== "http:" && url.protocol !== "https:") continue
    url.hash = ""
    found.add(url.href)
  }
  return [...found]
}
