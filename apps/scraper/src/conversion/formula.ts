import { MathMLToLaTeX } from "mathml-to-latex"
import type { Literal } from "mdast"
import { parseFragment, serializeOuter } from "parse5"
import { attribute, classesOf, elementsIn, type HtmlElement, type HtmlParent, parentOf } from "./Elements.ts"
import { textOf } from "./textOf.ts"

/** A formula as GitHub's Markdown has it: TeX between dollar signs, two of them where it has a line of its own. */
export interface Formula extends Literal {
  type: "inlineMath"
  isDisplayed: boolean
}

declare module "mdast" {
  interface PhrasingContentMap {
    inlineMath: Formula
  }
}

/** What is shown of an element in place of its content: a formula, or nothing, as the formula is beside it. */
export const formulaOf = (element: HtmlElement): Formula | "elsewhere" | undefined => {
  switch (element.tagName) {
    case "math":
      return formula(texOfMath(element), isDisplayed(element))
    case "script":
      return ofScript(element)
    case "mjx-container":
      return ofContainer(element)
    default:
      return ofPreview(element)
  }
}

const formula = (tex: string, isDisplayed: boolean): Formula | "elsewhere" => {
  const value = tex
    .replace(/\s+/g, " ")
    .trim()
    .replace(/^(\${1,2})(.+)\1$/, "$2")
    .trim()
  return value === "" ? "elsewhere" : { type: "inlineMath", value, isDisplayed }
}

/** MathJax 2 keeps the source of a formula in a script after what it shows. */
const ofScript = (script: HtmlElement): Formula | undefined => {
  const [type = "", ...parameters] = (attribute(script, "type") ?? "").toLowerCase().split(/\s*;\s*/)
  const isDisplay = parameters.some((each) => /^mode\s*=\s*display$/.test(each))
  const source = textOf(script)
  if (type === "math/tex" || type === "text/tex") {
    const cdata = /^\s*(?:%\s*)?<!\[CDATA\[([\s\S]*?)(?:%\s*)?\]\]>\s*$/.exec(source)?.[1]
    const found = formula(cdata ?? source, isDisplay)
    return found === "elsewhere" ? undefined : found
  }
  if (type !== "math/mml") return undefined
  const found = fromMarkup(source, isDisplay)
  return found === "elsewhere" ? undefined : found
}

const fromMarkup = (markup: string, isDisplay: boolean): Formula | "elsewhere" | undefined => {
  const math = [...elementsIn(parseFragment(markup))].find(({ tagName }) => tagName === "math")
  return math === undefined ? undefined : formula(texOfMath(math), isDisplay || isDisplayed(math))
}

/** MathJax 3 and 4: the formula is there once more for screen readers, or its source is an attribute. */
const ofContainer = (container: HtmlElement): Formula | "elsewhere" => {
  const isDisplay = attribute(container, "display") === "true" || attribute(container, "display") === "block"
  for (const element of elementsIn(container)) {
    if (element.tagName === "math") return formula(texOfMath(element), isDisplay || isDisplayed(element))
  }
  for (const element of elementsIn(container)) {
    const tex = attribute(element, "data-latex")
    if (tex !== undefined) return formula(tex, isDisplay)
  }
  return formula(attribute(container, "aria-label") ?? textOf(container), isDisplay)
}

const previews = /^(?:MathJax(?:_(?:CHTML|Display|PHTML|PlainSource|Preview|SVG|SVG_Display))?|MJXc-display)$/

/** What MathJax 2 shows or has shown before it ran. Its source is in the script after it. */
const ofPreview = (element: HtmlElement): Formula | "elsewhere" | undefined => {
  if (element.tagName !== "span" && element.tagName !== "div") return undefined
  if (!classesOf(element).some((each) => previews.test(each))) return undefined
  if (hasSourceAfter(element)) return "elsewhere"
  for (const each of [element, ...elementsIn(element)]) {
    const markup = attribute(each, "data-mathml")
    if (markup !== undefined)
      return fromMarkup(
        markup,
        classesOf(element).some((name) => /display/i.test(name))
      )
    if (each.tagName === "math") return formula(texOfMath(each), isDisplayed(each))
  }
  return undefined
}

/** So many of the nodes after a preview may be others of the same formula. */
const mostPreviews = 5

const hasSourceAfter = (element: HtmlElement): boolean => {
  const siblings = parentOf(element)?.childNodes ?? []
  const from = siblings.indexOf(element) + 1
  return siblings
    .slice(from, from + mostPreviews)
    .some((each) => "tagName" in each && each.tagName === "script" && /^\s*math\//i.test(attribute(each, "type") ?? ""))
}

const isDisplayed = (math: HtmlElement): boolean =>
  attribute(math, "display") === "block" || attribute(math, "mode") === "display"

/** Formulas longer than this are written as their signs: the structure of those takes too long. */
const longestStructure = 50_000

/** TeX as the page brings it along, else by the structure of the formula. */
const texOfMath = (math: HtmlElement): string => {
  const told = attribute(math, "alttext")
  if (told !== undefined && told.trim() !== "" && !isProse(told)) return told
  for (const element of elementsIn(math)) {
    if (element.tagName === "annotation" && /tex/i.test(attribute(element, "encoding") ?? "")) return textOf(element)
  }
  return structureOf(math) ?? textOf(math)
}

/** Words for those who cannot see the formula. */
const isProse = (text: string): boolean => !/[\\^_={}]/.test(text) && /\p{L}{3,}\s+\p{L}{2,}/u.test(text)

const structureOf = (math: HtmlElement): string | undefined => {
  const hasStructure = [...elementsIn(math)].some(({ tagName }) => /^m[a-z]+$/.test(tagName))
  const markup = hasStructure ? serializeOuter(withoutAnnotations(math)).replaceAll("&nbsp;", "&#160;") : ""
  if (markup === "" || markup.length > longestStructure) return undefined
  try {
    const tex = MathMLToLaTeX.convert(markup)
    return tex.trim() === "" ? undefined : tex
  } catch {
    // What is no MathML is written as its signs.
    return undefined
  }
}

const withoutAnnotations = (math: HtmlElement): HtmlElement => {
  const isAnnotation = (node: HtmlParent["childNodes"][number]) => "tagName" in node && /^annotation/.test(node.tagName)
  for (const each of [math, ...elementsIn(math)]) {
    if (each.childNodes.some(isAnnotation)) each.childNodes = each.childNodes.filter((node) => !isAnnotation(node))
  }
  return math
}
