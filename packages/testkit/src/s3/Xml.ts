import { XMLParser, XMLValidator } from "fast-xml-parser"

/** What an element holds: text, further elements by name, or nothing. An array is the element repeated. */
export type XmlContent =
  | string
  | number
  | boolean
  | undefined
  | ReadonlyArray<XmlContent>
  | { readonly [name: string]: XmlContent }

/** An XML document. Members that are `undefined` are skipped. */
export const xmlDocument = (root: string, content: XmlContent): Buffer =>
  Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${rendered(root, content, rootAttributes(root))}`)

/** Errors are the only responses of S3 without a namespace. */
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

/**
 * Parses a document and returns its root element, or nothing if it is not well-formed. Attributes are ignored. A document type is
 * refused, as S3 refuses it: it could define entities.
 */
export const parseXml = (document: string): XmlElement | undefined => {
  if (/<!DOCTYPE|[^>\s]\s*$/i.test(document) || XMLValidator.validate(document) !== true) return undefined
  const nodes = parsed(document)
  const [root, ...others] = elementsOf(nodes)
  return others.length === 0 && textOf(nodes).trim() === "" ? root : undefined
}

/** The text of the first child of a name. */
export const childText = (element: XmlElement, name: string): string | undefined =>
  element.children.find((child) => child.name === name)?.text

/** What the parser makes of an element or a text: one member, under the element's name or `#text`. */
type ParsedNode = Readonly<Record<string, string | ReadonlyArray<ParsedNode>>>

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  parseTagValue: false,
  trimValues: false,
  // Needed for numeric entities: clients write a carriage return as `&#xD;`.
  htmlEntities: true
})

const parsed = (document: string): ReadonlyArray<ParsedNode> => {
  try {
    return parser.parse(document)
  } catch {
    // Names that the parser refuses, such as `__proto__`.
    return []
  }
}

const elementsOf = (nodes: ReadonlyArray<ParsedNode>): ReadonlyArray<XmlElement> =>
  nodes.flatMap((node) =>
    Object.entries(node).flatMap(([name, content]) =>
      typeof content === "string" ? [] : [{ name, text: textOf(content), children: elementsOf(content) }]
    )
  )

const textOf = (nodes: ReadonlyArray<ParsedNode>): string =>
  nodes.map((node) => (typeof node["#text"] === "string" ? node["#text"] : "")).join("")
