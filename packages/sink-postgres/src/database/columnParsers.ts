import pg from "pg"

const exactNumber = (text: string): number | string => {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : text
}

/** An instant as a server writes it in the date style `ISO`: with seconds, up to six digits of them, and an offset. */
const isoInstant = /^(\d{4,6})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/

/**
 * `infinity`, years before Christ and beyond JavaScript's, and whatever is not in the date style we ask for stay as the server
 * writes them: `Date` would guess, and swap day and month.
 */
const instant = (text: string): string => {
  const parts = isoInstant.exec(text)
  if (parts === null) return text
  const [year, month, day, hours, minutes, seconds] = parts.slice(1, 7).map(Number)
  const milliseconds = Number((parts[7] ?? "").padEnd(3, "0").slice(0, 3))
  const offset = (Number(parts[9]) * 60 + Number(parts[10] ?? 0)) * 60 + Number(parts[11] ?? 0)
  // Not by `Date.UTC`, which takes the years 0 to 99 for those of the last century.
  const at = new Date(0)
  at.setUTCFullYear(year!, month! - 1, day!)
  at.setUTCHours(hours!, minutes!, seconds! - (parts[8] === "-" ? -offset : offset), milliseconds)
  return Number.isNaN(at.getTime()) ? text : at.toISOString()
}

/** JSON has no NaN and no infinity. */
const finiteNumber = (text: string): number | string => {
  const value = Number(text)
  return Number.isFinite(value) ? value : text
}

const asText = (text: string): unknown => text
const asJson = (text: string): unknown => JSON.parse(text)

const textArrayOid: number = 1009
const textArray: (text: string) => unknown = pg.types.getTypeParser(textArrayOid)
const arrayOf = (element: (text: string) => unknown) => (text: string) => {
  const each = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(each) : typeof value === "string" ? element(value) : value
  return each(textArray(text))
}

/**
 * How column values are read, by type OID, the same for both drivers: `int8` is a number where that is exact and a string
 * where not, `timestamptz` an ISO string, `json` its value, arrays are arrays; all else (dates without a zone, `numeric`,
 * `bytea`, anything rarer) is the server's own text.
 */
export const columnParsers: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === "t",
  17: asText,
  20: exactNumber,
  21: Number,
  23: Number,
  26: Number,
  114: asJson,
  700: finiteNumber,
  701: finiteNumber,
  1082: asText,
  1083: asText,
  1114: asText,
  1184: instant,
  1186: asText,
  1700: asText,
  3802: asJson,
  1000: arrayOf((text) => text === "t"),
  1005: arrayOf(Number),
  1007: arrayOf(Number),
  1009: arrayOf(asText),
  1015: arrayOf(asText),
  1016: arrayOf(exactNumber),
  1022: arrayOf(finiteNumber),
  1185: arrayOf(instant),
  2951: arrayOf(asText),
  3807: arrayOf(asJson)
}
