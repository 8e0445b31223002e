import { Result } from "effect"

/** What variables made of a text. */
export interface Interpolated {
  readonly text: string
  /** The variables in it, in order; none where the text has none. */
  readonly variables: ReadonlyArray<string>
}

/** Everything that may mean a variable. A braced form ends at the next brace, or never. */
const pattern = /\$\$|\$([A-Z_][A-Z0-9_]*)|\$\{([^}]*)(\}?)/g

/** `NAME` or `NAME:-default`. */
const supported = /^([A-Z_][A-Z0-9_]*)(?::-(.*))?$/s

/**
 * Puts variables into a text: `$NAME`, `${NAME}` and `${NAME:-default}`, in capitals; `$$` is a dollar sign. An empty variable counts as
 * one that is not set. Fails with a sentence about the first thing that does not work.
 */
export const interpolate = (
  text: string,
  environment: Readonly<Record<string, string | undefined>>
): Result.Result<Interpolated, string> => {
  const variables: Array<string> = []
  let problem: string | undefined
  const valueOf = (name: string, otherwise: string | undefined): string => {
    variables.push(name)
    const value = environment[name] ?? ""
    if (value !== "") return value
    if (otherwise === undefined) {
      problem ??= `environment variable ${name} is not set; set it, or write the value here`
    }
    return otherwise ?? ""
  }
  const filled = text.replace(pattern, (_, plain: string | undefined, braced: string | undefined, end: string) => {
    if (plain !== undefined) return valueOf(plain, undefined)
    if (braced === undefined) return "$"
    const [, name, otherwise] = supported.exec(braced) ?? []
    if (name === undefined || end === "" || /\$(?!\$)/.test(otherwise?.replaceAll("$$", "") ?? "")) {
      problem ??= unsupported(braced, end)
      return ""
    }
    return valueOf(name, otherwise?.replaceAll("$$", "$"))
  })
  return problem === undefined ? Result.succeed({ text: filled, variables }) : Result.fail(problem)
}

/** Names the form without what it may hold of a value. */
const unsupported = (braced: string, end: string): string => {
  const [shown = ""] = /^[A-Za-z0-9_]{0,40}[^A-Za-z0-9_\s]{0,2}/.exec(braced) ?? []
  const rest = shown.length < braced.length ? "…" : ""
  const fix =
    /^[A-Z_][A-Z0-9_]*$/i.test(braced) && end !== "" ? `write ${inBraces(braced.toUpperCase())}, in capitals` : forms
  return `\${${shown}${rest}${end} is no form that is read here: ${fix}; a dollar sign itself is $$`
}

const inBraces = (inner: string): string => `\${${inner}}`

const forms = `write ${inBraces("NAME")} or ${inBraces("NAME:-default")}, where a default holds no variable`
