import type { List, ListItem } from "mdast"
import { isListNumber } from "./listNumbers.ts"

/** A list of Markdown counts up by one from its first number, so where a browser's numbers do not, another list begins. */
export const listsOf = (list: List, numbers: WeakMap<ListItem, number>): ReadonlyArray<List> => {
  const lists: Array<List> = []
  let expected: number | undefined
  for (const item of list.children) {
    const number = numbers.get(item) ?? expected ?? 1
    const last = lists.at(-1)
    const ordered = isListNumber(number)
    if (last !== undefined && (number === expected || (!ordered && last.ordered === false))) last.children.push(item)
    else lists.push({ ...list, ordered, start: ordered ? number : null, children: [item] })
    expected = ordered ? number + 1 : undefined
  }
  return lists
}
