/** How a dialect writes a quote inside a literal: it is doubled, or a backslash stands before it, or either will do. */
export type Quoting = "doubled" | "backslashed" | "either"

/**
 * The values of all literals in single quotes of a script, read letter by letter as the dialect reads them. Fails on a
 * literal that does not end. Comments and names in double quotes or backticks are passed over.
 */
export const literalsOf = (script: string, quoting: Quoting): ReadonlyArray<string> => {
  const values: Array<string> = []
  let at = 0
  const skipTo = (end: string) => {
    const found = script.indexOf(end, at)
    at = found < 0 ? script.length : found + end.length
  }
  while (at < script.length) {
    const sign = script[at++]!
    if (sign === "-" && script[at] === "-") skipTo("\n")
    else if (sign === '"' || sign === "`") skipTo(sign)
    else if (sign === "'") {
      let value = ""
      for (;;) {
        const next = script[at++]
        if (next === undefined) throw new Error(`a literal does not end: ${value}`)
        if (next === "\\" && quoting !== "doubled") value += script[at++]
        else if (next !== "'") value += next
        else if (script[at] === "'" && quoting !== "backslashed") value += script[at++]
        else break
      }
      values.push(value)
    }
  }
  return values
}

/** The statements of a script, without comments. */
export const statementsIn = (script: string): ReadonlyArray<string> =>
  script
    .split("\n\n")
    .flatMap((block) => block.split(/(?<=;)\n/))
    .filter((block) => !block.startsWith("--"))
