/** What an element holds: text, further elements by name, or nothing. An array is the element repeated. */
export type XmlContent =
  | string
  | number
  | boolean
  | undefined
  | ReadonlyArray<XmlContent>
  | { readonly [name: string]: XmlContent }

/** An XML document. Members that are `undefined` are left out. */
export const xmlDocument = (root: string, content: XmlContent): Buffer =>
  Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${rendered(root, content, rootAttributes(root))}`)

/** Errors are the only answers of S3 that are in no namespace. */
const rootAttributes = (root: string): string =>
  root === "Error" ? "" : ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'

const rendered = (name: string, content: XmlContent, attributes = ""): string => {
  if (content === undefined) return ""
  if (Array.isArray(content)) return content.map((member: XmlContent) => rendered(name, member)).join("")
  const inner =
    typeof content === "object"
      ? Object.entries(content)
          .map(([child, value]) => rendered(child, value))
          .join("")
      : String(content).replace(/[&<>"'\r\n\t]/g, (character) => `&#${character.charCodeAt(0)};`)
  return `<${name}${attributes}>${inner}</${name}>`
}

/** A parsed element. */
export interface XmlElement {
  readonly name: string
  readonly text: string
  readonly children: ReadonlyArray<XmlElement>
}

/** The root element of a document, or nothing where it is not well-formed. Attributes are not looked at. */
export const parseXml = (document: string): XmlElement | undefined => {
  const root: Open = { name: "", text: "", children: [] }
  const open: Array<Open> = [root]
  const token =
    /<\?[^>]*\?>|<!--[\s\S]*?-->|<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>|([^<]+)/gy
  while (token.lastIndex < document.length) {
    const found = token.exec(document)
    const within = open.at(-1)
    if (found === null || within === undefined) return undefined
    const [, closes, name, , isEmpty, text] = found
    if (text !== undefined) within.text += unescaped(text)
    if (name === undefined) continue
    if (closes === "/") {
      if (open.length === 1 || within.name !== name) return undefined
      open.pop()
      continue
    }
    const element: Open = { name, text: "", children: [] }
    within.children.push(element)
    if (isEmpty !== "/") open.push(element)
  }
  return open.length === 1 && root.children.length === 1 && root.text.trim() === "" ? root.children[0] : undefined
}

interface Open extends XmlElement {
  text: string
  readonly children: Array<Open>
}

/** The text of the first child of a name. */
export const childText = (element: XmlElement, name: string): string | undefined =>
  element.children.find((child) => child.name === name)?.text

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }

const unescaped = (text: string): string =>
  text.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
    if (decimal !== undefined) return String.fromCodePoint(Number.parseInt(decimal, 10))
    return entities[name ?? ""] ?? whole
  })
