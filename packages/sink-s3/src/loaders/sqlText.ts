/** A literal of standard SQL: a quote is doubled, and nothing else means anything. */
export const doubled = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** A literal where a backslash escapes, quotes among others: BigQuery, Hive. */
export const backslashed = (text: string): string => `'${text.replace(/['\\]/g, (sign) => `\\${sign}`)}'`

/** A literal where a quote is doubled, and a backslash escapes as well: Redshift, Snowflake. */
export const doublyEscaped = (text: string): string => `'${text.replace(/['\\]/g, (sign) => sign + sign)}'`

/** A name in double quotes. */
export const named = (...path: ReadonlyArray<string>): string =>
  path.map((name) => `"${name.replaceAll('"', '""')}"`).join(".")

/** A name in backticks, as BigQuery and Hive have them. The names here have none in them. */
export const ticked = (...path: ReadonlyArray<string>): string => path.map((name) => `\`${name}\``).join(".")

/** Statements and comments as one text. */
export const script = (blocks: ReadonlyArray<string>): string => blocks.join("\n\n")

/** Lines of a comment. */
export const comment = (...lines: ReadonlyArray<string>): string => lines.map((line) => `-- ${line}`).join("\n")

/** A list in parentheses, an item a line. */
export const listed = (items: ReadonlyArray<string>): string => `(\n  ${items.join(",\n  ")}\n)`

/** The longest separator between two items of a list. */
const gapBytes = 8

/** Cuts a list where it would pass so many items or, all in all, so many bytes. Every item is in one of the lists. */
export const packed = (
  items: ReadonlyArray<string>,
  most: { readonly items: number; readonly bytes: number }
): ReadonlyArray<ReadonlyArray<string>> => {
  const packs: Array<Array<string>> = []
  let held = 0
  for (const item of items) {
    const bytes = Buffer.byteLength(item) + gapBytes
    const last = packs.at(-1)
    if (last === undefined || last.length >= most.items || held + bytes > most.bytes) {
      packs.push([item])
      held = bytes
    } else {
      last.push(item)
      held += bytes
    }
  }
  return packs
}
