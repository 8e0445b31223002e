import { attribute, classesOf, elementsIn, type HtmlElement, type HtmlParent, parentOf } from "./Elements.ts"
import { textOf } from "./textOf.ts"

/** The part of a page to read, and what to skip in it. */
export interface PageExtract {
  readonly root: HtmlParent
  readonly isLeftOut: (element: HtmlElement) => boolean
}

/** All of a page. */
export const wholePage = (tree: HtmlParent): PageExtract => ({ root: tree, isLeftOut: () => false })

/**
 * The content of a page without menus, advertising and the like. Pages say themselves where their content is and what is not, by elements, by roles, and
 * by names that they give to parts; what says nothing is kept, because a lost paragraph is worse than a menu too many.
 */
export const mainContent = (tree: HtmlParent): PageExtract => ({ root: contentOf(tree), isLeftOut: isBeside })

/** A part named as the content is taken for it if it holds this share of the text of the page. */
const leastShare = 0.3

const contentNames = new Set(
  "article article-content bodycontent content entry-content main main-content mainbar markdown-body page-body page-content post post-content story".split(
    " "
  )
)

const contentOf = (tree: HtmlParent): HtmlParent => {
  let named: HtmlElement | undefined
  let leastLength: number | undefined
  for (const element of elementsIn(tree)) {
    if (element.tagName === "main" || attribute(element, "role") === "main") return element
    if (
      named !== undefined ||
      !(element.tagName === "article" || namesOf(element).some((name) => contentNames.has(name)))
    )
      continue
    leastLength ??= textOf(tree).length * leastShare
    if (textOf(element).length >= leastLength) named = element
  }
  return named ?? tree
}

const besideElements = new Set(["aside", "button", "dialog", "nav", "search"])
const besideRoles = new Set(
  "alertdialog banner complementary contentinfo dialog doc-toc navigation search tablist toolbar".split(" ")
)

/** Words that parts are named by which are not content, alone or as a word of a longer name. */
const besideName =
  /(?:^|[-_])(?:ads?|advert\w*|breadcrumbs?|consent|cookie\w*|edit-?link|footer|jump-?link|mega-?menu|menu|nav|navbar|navfooter|navheader|newsletter|pager|pagination|popup|post-?menu|promo|recommend\w*|related\w*|share|sharedaddy|sharing|sidebar|signature|signup|skip|skip-?link|social|sphinxsidebar|sponsor\w*|subscribe|taglist|toc|topic-actions|widget)(?:$|[-_])/i

const isBeside = (element: HtmlElement): boolean => {
  const { tagName } = element
  if (besideElements.has(tagName)) return !isQuote(element)
  const role = attribute(element, "role")
  if (role !== undefined && besideRoles.has(role)) return true
  // That of the page, not that of an article in it.
  if (tagName === "header" || tagName === "footer") return !isWithinContent(element)
  if (tagName === "body" || tagName === "html" || tagName === "main" || tagName === "article") return false
  return namesOf(element).some((name) => besideName.test(name))
}

/** Forums quote in asides, papers pull words out of the text with them. */
const isQuote = (element: HtmlElement): boolean =>
  element.tagName === "aside" && classesOf(element).some((each) => /quote|callout|note|admonition/i.test(each))

const isWithinContent = (element: HtmlElement): boolean => {
  for (let up = parentOf(element); up !== undefined; up = parentOf(up)) {
    if (/^(?:article|main|section|blockquote|figure|li)$/.test(up.tagName) || attribute(up, "role") === "main")
      return true
    if (namesOf(up).some((name) => contentNames.has(name))) return true
  }
  return false
}

/** What an element is called: its classes and its id. */
const namesOf = (element: HtmlElement): ReadonlyArray<string> => {
  const id = attribute(element, "id")
  return id === undefined ? classesOf(element) : [...classesOf(element), id]
}
