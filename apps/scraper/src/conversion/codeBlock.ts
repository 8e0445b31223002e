import type { Code } from "mdast"
import { defaultTreeAdapter } from "parse5"
import { attribute, blocks, classesOf, type HtmlElement, type HtmlNode, parentOf } from "./Elements.ts"

/** Whether an element is a block of code, by its name or by what generators of pages call theirs. */
export const isCodeBlock = (element: HtmlElement): boolean => {
  switch (element.tagName) {
    case "pre":
    case "xmp":
    case "listing":
    case "plaintext":
      return true
    case "div":
      return classesOf(element).includes("fragment") && element.childNodes.some(isLine)
    case "code":
      return element.childNodes.some((child) => "tagName" in child && child.tagName === "br") && isAlone(element)
    default:
      return false
  }
}

/** A line of code of Doxygen's. */
const isLine = (node: HtmlNode) => "tagName" in node && classesOf(node).includes("line")

const isAlone = (element: HtmlElement): boolean => {
  const parent = parentOf(element)
  return (
    parent !== undefined &&
    blocks.has(parent.tagName) &&
    parent.childNodes.every(
      (each) => each === element || (defaultTreeAdapter.isTextNode(each) && each.value.trim() === "")
    )
  )
}

/** A block of code: its text unchanged, without line numbers, and its language if the page names it. */
export const codeBlockOf = (element: HtmlElement): Code => ({
  type: "code",
  lang: languageOf(element) ?? null,
  value: codeOf(element).replace(/^\n/, "").replace(/\s+$/, "").replaceAll("\u00a0", " ")
})

const numbers = new Set(
  "blob-num gutter lineno linenodiv linenos line-number line-numbers line-numbers-rows ln nums rouge-gutter ttc".split(
    " "
  )
)

/** Whether an element shows the numbers of lines. */
export const isLineNumber = (element: HtmlElement): boolean =>
  classesOf(element).some((each) => numbers.has(each)) || attribute(element, "data-line-number") !== undefined

const shownAsBlock = /(?:^|;)\s*display\s*:\s*(?:block|flex|flow-root|grid|list-item|table|table-row)\s*(?:;|!|$)/i
/** What generators call the lines of theirs, which style sheets make blocks. */
const lineNames = /^(?:(?:code|cm|editor|token|view|CodeMirror)-?)?line$/i

/** Whether an element is a line of code, or several; `begins` one if breaks between them are in the text. */
const lineOf = (element: HtmlElement): "block" | "begins" | undefined => {
  if (blocks.has(element.tagName)) return element.tagName === "td" || element.tagName === "th" ? undefined : "block"
  for (const { name, value } of element.attrs) {
    if (name === "style" && shownAsBlock.test(value)) return "block"
    if (name === "data-line" || (name === "class" && value.split(/\s+/).some((each) => lineNames.test(each)))) {
      return "begins"
    }
  }
  return undefined
}

/** Whether a block holds code beside other code and nothing else, which makes each a line. */
const holdsLines = ({ childNodes }: HtmlElement): boolean => {
  let lines = 0
  for (const child of childNodes) {
    if ("tagName" in child && child.tagName === "code") lines++
    else if (!defaultTreeAdapter.isTextNode(child) || !/^\s*\n\s*$/.test(child.value)) return false
  }
  return lines > 1
}

/** The text of code; a line that is an element of its own is between line breaks. A loop, as everywhere. */
const codeOf = (root: HtmlElement): string => {
  const text: Array<string> = []
  const areLines = holdsLines(root)
  const endLine = () => {
    const last = text.findLast((each) => each !== "")
    if (last !== undefined && !last.endsWith("\n")) text.push("\n")
  }
  const open: Array<HtmlNode | "end"> = [...root.childNodes].reverse()
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node === "end") endLine()
    else if (defaultTreeAdapter.isTextNode(node)) {
      // White space between rows, or lines that are elements, is that of the markup.
      if (
        node.value.trim() !== "" ||
        (!/^(?:table|tbody|thead|tr)$/.test((node.parentNode as HtmlElement).tagName) &&
          (node.parentNode !== root || root.tagName !== "div"))
      ) {
        text.push(node.value)
      }
    } else if (defaultTreeAdapter.isElementNode(node)) {
      if (node.tagName === "br") text.push("\n")
      if (isLineNumber(node) || node.tagName === "button" || node.tagName === "script" || node.tagName === "style")
        continue
      const line = node.parentNode === root && areLines ? "begins" : lineOf(node)
      if (line !== undefined) endLine()
      if (line === "block") open.push("end")
      for (let index = node.childNodes.length - 1; index >= 0; index--) open.push(node.childNodes[index]!)
    }
  }
  return text.join("")
}

/** How far around code its language may be told. */
const languageDistance = 7

const languageOf = (element: HtmlElement): string | undefined => {
  for (const child of element.childNodes) {
    if ("tagName" in child && child.tagName === "code") {
      const language = languageIn(child)
      if (language !== undefined) return language
    }
  }
  let around: HtmlElement | undefined = element
  for (let distance = 0; distance <= languageDistance && around !== undefined; distance++) {
    const language = languageIn(around)
    if (language !== undefined) return language
    around = parentOf(around)
    if (around !== undefined && !/^(?:code|div|figure|pre|span|table|tbody|td|tr)$/.test(around.tagName)) break
  }
  return undefined
}

const prefixed = /^(?:language|lang|highlight-source|highlight-text|highlight|brush:?)[-:](.+)$/i
const named = /^[a-z][\w+#.-]{0,24}$/i
/** What classes of a highlighter add to the name of a language. */
const highlighters = new Set(["hljs", "sourceCode", "prettyprint", "chroma", "codehilite", "shiki", "prism-code"])
const notLanguages = new Set(
  "bash-session-none copy default nohighlight none notranslate numberSource plain plaintext text txt linenums".split(
    " "
  )
)

const languageIn = (element: HtmlElement): string | undefined => {
  const told = attribute(element, "data-lang") ?? attribute(element, "data-language")
  const classes = classesOf(element)
  const candidates = [
    told,
    ...classes.map((each) => prefixed.exec(each)?.[1]),
    // `brush: js`
    classes[0] === "brush:" ? classes[1]?.replace(";", "") : undefined,
    ...(classes.some((each) => highlighters.has(each)) ? classes.filter((each) => !highlighters.has(each)) : []),
    element.tagName === "code" && classes.length === 1 ? classes[0] : undefined
  ]
  return candidates
    .find(
      (each): each is string =>
        each !== undefined && named.test(each) && !notLanguages.has(each) && !prefixed.test(each)
    )
    ?.toLowerCase()
}
