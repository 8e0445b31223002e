import { attribute, elementsIn, type HtmlElement, parentOf } from "./Elements.ts"
import { textOf } from "./textOf.ts"

/** Signs that say nothing but that they are a link. An arrow says where to. */
const sign = /^(?:[#¶§◆⚓🔗\s]|\p{Cf}|\p{Co}|\ufe0f)*$/u
const words =
  /^(?:anchor|copy link|link|link to this .*|permalink|permanent link|permalink .*|direct link to .*|section titled .*)$/i

/** How far around a sign the place may be that it leads to. */
const reach = 4
const nearby = 4

/**
 * Whether a link is a sign at a place that leads to this very place: it is told by where it leads and by saying nothing, whatever its
 * classes are.
 */
export const isPermalink = (link: HtmlElement): boolean => {
  const href = attribute(link, "href")?.trim() ?? ""
  const hash = href.indexOf("#")
  if (hash === -1 || hash === href.length - 1) return false
  const text = textOf(link).replace(/\s+/g, " ").trim()
  const isWords = words.test(text)
  if (!isWords && !sign.test(text)) return false
  if (hasPicture(link)) return false
  const fragment = href.slice(hash + 1)
  const ids = [fragment, decoded(fragment)]
  return leadsHere(link, ids, isWords) || (hash === 0 && !isWords && text !== "" && isLostInHeading(link, ids))
}

/** Whether a link is in a heading and leads nowhere: the place is missing, or a script would make it. */
const isLostInHeading = (link: HtmlElement, ids: ReadonlyArray<string>): boolean => {
  let top = link
  let isInHeading = false
  for (let up = parentOf(link); up !== undefined; up = parentOf(up)) {
    isInHeading ||= isHeading(up)
    top = up
  }
  return isInHeading && !ids.some((id) => placesIn(top).has(id))
}

const places = new WeakMap<HtmlElement, ReadonlySet<string>>()

const placesIn = (top: HtmlElement): ReadonlySet<string> => {
  const known = places.get(top)
  if (known !== undefined) return known
  const found = new Set<string>()
  for (const element of elementsIn(top)) for (const each of namesOf(element)) found.add(each)
  places.set(top, found)
  return found
}

/** An image that says something is no sign. */
const hasPicture = (link: HtmlElement): boolean => {
  for (const element of elementsIn(link)) {
    const alt = element.tagName === "img" ? (attribute(element, "alt") ?? "").trim() : ""
    if (!sign.test(alt) && !words.test(alt)) return true
  }
  return false
}

const leadsHere = (link: HtmlElement, ids: ReadonlyArray<string>, isWords: boolean): boolean => {
  let inner = link
  let isInHeading = false
  for (let distance = 0; distance <= reach; distance++) {
    if (isTarget(inner, ids)) return !isWords || isInHeading || isHeading(inner) || inner === link
    const outer = parentOf(inner)
    if (outer === undefined || outer.tagName === "body") return false
    isInHeading ||= isHeading(outer)
    // Beside it, within the heading or with it in a box of their own.
    const at = outer.childNodes.indexOf(inner)
    for (const beside of outer.childNodes.slice(Math.max(0, at - nearby), at + nearby + 1)) {
      if (!("tagName" in beside) || beside === inner) continue
      if (isTarget(beside, ids) && (isInHeading || isHeading(beside) || beside.tagName === "a")) return true
      if (distance === 0 && isHeading(beside) && [...elementsIn(beside)].some((each) => isTarget(each, ids)))
        return true
    }
    inner = outer
  }
  return false
}

const isHeading = ({ tagName }: HtmlElement): boolean =>
  /^(?:h[1-6]|dt|caption|figcaption|legend|summary)$/.test(tagName)

const isTarget = (element: HtmlElement, ids: ReadonlyArray<string>): boolean =>
  namesOf(element).some((name) => ids.includes(name))

const namesOf = (element: HtmlElement): ReadonlyArray<string> =>
  element.attrs.flatMap(({ name, value }) =>
    name === "id" || (name === "name" && element.tagName === "a") ? [value] : []
  )

const decoded = (fragment: string): string => {
  try {
    return decodeURIComponent(fragment)
  } catch {
    return fragment
  }
}
