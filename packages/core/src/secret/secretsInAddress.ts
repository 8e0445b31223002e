import { Result } from "effect"

/** Parameters of a connection string that hold no secret are the rule: these are the exceptions. */
const secretName = /pass|pwd|secret|token|key|credential|signature/i

/**
 * The secrets an address holds, as it spells them and decoded: the password before the `@`, and parameters such as
 * `sslpassword`. Reads URLs and the `key=value` form of Postgres, also where they are malformed. A text that is neither is a
 * secret as a whole.
 */
export const secretsInAddress = (address: string): ReadonlyArray<string> => {
  const text = address.trim()
  const found = text.includes("://") ? inUrl(text) : inPairs(text)
  return [
    ...new Set(
      found
        .flatMap((value) => [value, decoded(value), decoded(value.replaceAll("+", " "))])
        .filter((value) => value !== "")
    )
  ]
}

/** A password may hold any character as people write it, so it ends at the last `@` that leaves a host. */
const inUrl = (text: string): ReadonlyArray<string> => {
  const rest = text.slice(text.indexOf("://") + 3)
  const passwords = [...rest.matchAll(/@/g)]
    .map(({ index }) => rest.slice(0, index))
    .filter((user) => user.includes(":"))
  const parameters = [...rest.matchAll(/[?&]([^=&#]+)=([^&#]*)/g)]
    .filter(([, name = ""]) => secretName.test(name))
    .map(([, , value = ""]) => value)
  return [...passwords.map((user) => user.slice(user.indexOf(":") + 1)), ...parameters]
}

const inPairs = (text: string): ReadonlyArray<string> => {
  const pairs = [...text.matchAll(/([A-Za-z_]+)\s*=\s*(?:'((?:\\.|[^'\\])*)'|(\S*))/g)]
  if (pairs.length === 0) return [text]
  return pairs
    .filter(([, name = ""]) => secretName.test(name))
    .map(([, , quoted, bare = ""]) => quoted?.replace(/\\(.)/gs, "$1") ?? bare)
}

const decoded = (value: string): string =>
  Result.getOrElse(
    Result.try(() => decodeURIComponent(value)),
    () => value
  )
