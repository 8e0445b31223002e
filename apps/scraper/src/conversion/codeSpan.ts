import type { InlineToken } from "./InlineToken.ts"

/**
 * Code within a line. Its fence is longer than any run of backticks in it. In a cell a pipe has a backslash before it, which is taken off
 * before code is read; where the code has one of its own there, parsers differ, so that code is an element.
 */
export const codeSpan = (code: string, isCell: boolean): ReadonlyArray<InlineToken> => {
  if (isCell && /\\\|/.test(code)) {
    return [
      { kind: "raw", value: "<code>" },
      { kind: "text", value: code },
      { kind: "raw", value: "</code>" }
    ]
  }
  let longest = 0
  const runs = new Set<number>()
  if (code.includes("`")) for (const [run] of code.matchAll(/`+/g)) runs.add(run.length)
  for (longest = 1; runs.has(longest); longest++);
  const fence = "`".repeat(longest)
  const isPadded = code.startsWith("`") || code.endsWith("`") || (/^ .* $/.test(code) && /[^ ]/.test(code))
  const content = isCell ? code.replaceAll("|", "\\|") : code
  return [{ kind: "raw", value: isPadded ? `${fence} ${content} ${fence}` : `${fence}${content}${fence}` }]
}
