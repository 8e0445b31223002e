/** The form of a `Retry-After`. */
export const retryAfterForm = (value: string | undefined): "absent" | "seconds" | "date" => {
  if (value === undefined) return "absent"
  return /^\s*\d+\s*$/.test(value) ? "seconds" : "date"
}

/** `Retry-After` in both forms, as milliseconds from now; null where it is absent or senseless. */
export const readRetryAfter = (value: string | undefined, now: number): number | null => {
  if (value === undefined) return null
  if (retryAfterForm(value) === "seconds") return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? null : Math.max(0, date - now)
}
