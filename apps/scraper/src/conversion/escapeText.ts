import type { Handle } from "mdast-util-to-markdown"

/**
 * Writes a text, escaped where Markdown would read something into it. Most texts are words, which are told by one expression here where
 * the writer would try some fifty: half of the time that a page took.
 */
export const text: Handle = (node: { readonly value: string }, _, state, info) =>
  isPlain(node.value, info.before, info.after) ? node.value : state.safe(node.value, info)

/** Letters, digits, blanks between them, and marks that never mean anything; a full stop only at the end of a word. */
const plain =
  /^ ?(?:[\p{L}\p{N}\p{M},;?%’‘“”–—…。、，「」（）]| (?=\S)|(?<=[^\W\dwW_])\.(?= |$)|(?<=\p{L})-(?=\p{L}))+ ?$/u

const isPlain = (value: string, before: string, after: string): boolean =>
  plain.test(value) && (value[0] !== " " || isInLine(before)) && (value.at(-1) !== " " || isInLine(after))

const isInLine = (neighbour: string): boolean => neighbour !== "" && neighbour !== "\n" && neighbour !== "\r"
