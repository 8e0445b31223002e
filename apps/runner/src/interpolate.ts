import { Result } from "effect"

/** A variable that is named and not set. */
export interface MissingVariable {
  readonly variable: string
}

const pattern = /\$(?:\$|([A-Z_][A-Z0-9_]*)|\{([A-Z_][A-Z0-9_]*)\})/g

/**
 * Puts variables into a text: `$NAME` and `${NAME}`, in capitals; `$$` is a dollar sign. `onValue` is told every value put
 * in. An empty variable counts as one that is not set.
 */
export const interpolate = (
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
  onValue: (value: string) => void
): Result.Result<string, MissingVariable> => {
  let missing: string | undefined
  const filled = text.replace(pattern, (_, plain: string | undefined, braced: string | undefined) => {
    const variable = plain ?? braced
    if (variable === undefined) return "$"
    const value = environment[variable] ?? ""
    if (value === "") missing ??= variable
    else onValue(value)
    return value
  })
  return missing === undefined ? Result.succeed(filled) : Result.fail({ variable: missing })
}
