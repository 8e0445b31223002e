import { Schema } from "effect"

/** Whether a text holds NUL or another control character. */
export const hasControls = (text: string): boolean => {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0x20 || unit === 0x7f) return true
  }
  return false
}

/** A check for names and the like: a text of one line. */
export const isPlainText = Schema.makeFilter((text: string) => !hasControls(text), {
  expected: "a text without NUL and control characters"
})

/** A check for paths of this machine. */
export const isLocalPath = Schema.makeFilter((path: string) => {
  if (hasControls(path)) return "must be a path without NUL and control characters"
  if (/^~(\/|$)/.test(path)) return "must be a path; ~ is not read here, write $HOME"
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(path) ? "must be a path of this machine, and is an address" : true
})

/** A check for the base address of a service: absolute, http or https, without credentials, query and fragment. */
export const isServiceUrl = Schema.makeFilter((text: string) => {
  if (hasControls(text) || !URL.canParse(text)) return "must be an absolute http or https URL"
  const url = new URL(text)
  if (url.protocol !== "http:" && url.protocol !== "https:") return "must be an absolute http or https URL"
  if (url.username !== "" || url.password !== "") return "must not hold a user name or a password"
  return url.search === "" && url.hash === "" ? true : "must end with its path, without ? and #"
})
