import { defaultTreeAdapter } from "parse5"
import type { HtmlParent } from "./Elements.ts"

/** All text within. */
export const textOf = (root: HtmlParent): string => {
  const text: Array<string> = []
  const open = [...root.childNodes].reverse()
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (defaultTreeAdapter.isTextNode(node)) text.push(node.value)
    else if (defaultTreeAdapter.isElementNode(node)) {
      for (let index = node.childNodes.length - 1; index >= 0; index--) open.push(node.childNodes[index]!)
    }
  }
  return text.join("")
}
