/** Whether two URLs are the same but for their spelling: case of the host, a missing path, a fragment. */
export const isSameUrl = (a: string, b: string): boolean => a === b || normalizeUrl(a) === normalizeUrl(b)

/** A URL in the one spelling that all its spellings have; a text that is none as it is. */
export const normalizeUrl = (url: string): string => {
  if (!URL.canParse(url)) return url
  const parsed = new URL(url)
  parsed.hash = ""
  return parsed.href
}
