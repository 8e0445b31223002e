import { Option } from "effect"
import { type DefaultTreeAdapterTypes, defaultTreeAdapter, html, parseFragment } from "parse5"
import { SaxesParser, type SaxesTagNS } from "saxes"

type Document = DefaultTreeAdapterTypes.Document
type ParentNode = DefaultTreeAdapterTypes.ParentNode

/** How far in a file its root has to be told, so that not all of any XML is read for it. */
const rootWithin = 8192
const { NS } = html

/** The tree of an XHTML document, as an XML parser reads it; none if it is not well-formed, or its root is another. */
export const xhtmlTree = (text: string): Option.Option<Document> => {
  const start = text.slice(0, rootWithin)
  if (!/<(?:[\w.-]+:)?html[\s>]/.test(start) || !start.includes(NS.HTML)) return Option.none()
  return Option.flatten(Option.liftThrowable(read)(text))
}

const read = (text: string): Option.Option<Document> => {
  const document = defaultTreeAdapter.createDocument()
  const open: Array<ParentNode> = [document]
  const into = (): ParentNode => open.at(-1) ?? document
  const parser = new SaxesParser({ xmlns: true, position: false })
  Object.assign(parser.ENTITIES, entitiesOf(text))
  parser.on("error", (error) => {
    throw error
  })
  parser.on("doctype", (doctype) => Object.assign(parser.ENTITIES, declaredEntities(doctype)))
  const write = (part: string) => {
    if (open.length > 1) defaultTreeAdapter.insertText(into(), part)
  }
  parser.on("text", write)
  parser.on("cdata", write)
  parser.on("opentag", (tag: SaxesTagNS) => {
    const element = defaultTreeAdapter.createElement(tag.local, namespaceOf(tag.uri), attributesOf(tag))
    defaultTreeAdapter.appendChild(into(), element)
    if (!isTemplate(element)) return void open.push(element)
    const content = defaultTreeAdapter.createDocumentFragment()
    defaultTreeAdapter.setTemplateContent(element, content)
    open.push(content)
  })
  parser.on("closetag", () => void open.pop())
  parser.write(text).close()
  const root = document.childNodes.find(defaultTreeAdapter.isElementNode)
  return root?.tagName === "html" && root.namespaceURI === NS.HTML ? Option.some(document) : Option.none()
}

const isTemplate = (element: DefaultTreeAdapterTypes.Element): element is DefaultTreeAdapterTypes.Template =>
  element.tagName === "template" && element.namespaceURI === NS.HTML

const namespaces: ReadonlyMap<string, html.NS> = new Map(Object.values(NS).map((uri) => [uri, uri]))
/** What is in no namespace that HTML knows is nothing of HTML, whatever its name. */
const namespaceOf = (uri: string): html.NS => namespaces.get(uri) ?? NS.XML

const attributesOf = ({ attributes }: SaxesTagNS) =>
  Object.values(attributes).map(({ local, name, prefix, uri, value }) =>
    prefix === "" ? { name, value } : { name: local, value, prefix, namespace: uri }
  )

/** The entities of HTML that a text uses. Browsers know them in XHTML by its public identifiers. */
const entitiesOf = (text: string): Readonly<Record<string, string>> => {
  const entities: Record<string, string> = {}
  for (const [reference, name = ""] of text.matchAll(/&([A-Za-z][A-Za-z0-9]{0,40});/g)) {
    if (entities[name] !== undefined || ofXml.has(name)) continue
    const [node] = parseFragment(reference).childNodes
    const value = node !== undefined && defaultTreeAdapter.isTextNode(node) ? node.value : reference
    if (value !== reference) entities[name] = value
  }
  return entities
}

const ofXml = new Set(["amp", "lt", "gt", "quot", "apos"])

/** The entities that a document declares itself, of plain text. */
const declaredEntities = (doctype: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Array.from(
      doctype.matchAll(/<!ENTITY\s{1,9}([\w.-]{1,99})\s{1,9}(?:"([^"<&%]{0,999})"|'([^'<&%]{0,999})')\s{0,9}>/g),
      (found) => [found[1] ?? "", found[2] ?? found[3] ?? ""]
    )
  )
