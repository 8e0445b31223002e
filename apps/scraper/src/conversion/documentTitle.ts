import { elementsIn, type HtmlParent } from "./Elements.ts"
import { textOf } from "./textOf.ts"

/** The title of a page, if it has one. */
export const documentTitle = (tree: HtmlParent): string | undefined => {
  for (const element of elementsIn(tree)) {
    if (element.tagName === "body") return undefined
    if (element.tagName !== "title") continue
    const title = textOf(element).replace(/\s+/g, " ").trim()
    if (title !== "") return title
  }
  return undefined
}
