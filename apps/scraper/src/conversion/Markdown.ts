import type { Heading, Paragraph, Table, TableCell } from "mdast"
import { type Options, toMarkdown } from "mdast-util-to-markdown"
import { documentTitle } from "./documentTitle.ts"
import type { HtmlDocument } from "./HtmlDocument.ts"
import { inlineMarkdown } from "./inlineMarkdown.ts"
import { mainContent, wholePage } from "./MainContent.ts"
import { mdastOf } from "./mdastOf.ts"

/** How much of a page becomes Markdown: all of it, or what is left without menus, advertising and the like. */
export type MarkdownExtent = "page" | "main"

/** A page as GitHub-flavoured Markdown, its links and images absolute. */
export const markdownOf = (document: HtmlDocument, extent: MarkdownExtent = "page"): string =>
  toMarkdown(
    mdastOf(
      extent === "main" ? mainContent(document.tree) : wholePage(document.tree),
      document.base,
      documentTitle(document.tree)
    ),
    options
  )

type Handlers = NonNullable<Options["handlers"]>

const paragraph: Handlers["paragraph"] = (node: Paragraph, parent) => {
  if (parent?.type !== "listItem") return inlineMarkdown(node.children, "paragraph")
  const isTask = typeof parent.checked === "boolean" && parent.children[0] === node
  return `${isTask ? (parent.checked ? "[x] " : "[ ] ") : ""}${inlineMarkdown(node.children, "item")}`
}

const heading: Handlers["heading"] = ({ children, depth }: Heading) =>
  `${"#".repeat(depth)} ${inlineMarkdown(children, "heading")}`

const cell = ({ children }: TableCell) => (children.length === 0 ? " |" : ` ${inlineMarkdown(children, "cell")} |`)

/** Rows as short as they are: lined up, a table with one long row among many would be as wide as that row in each. */
const table: Handlers["table"] = ({ align, children }: Table) => {
  const rows = children.map((row) => `|${row.children.map(cell).join("")}`)
  const marks = { left: ":-", right: "-:", center: ":-:" }
  const width = children[0]?.children.length ?? 0
  const delimiters = Array.from({ length: width }, (_, index) => marks[align?.[index] ?? ("" as "left")] ?? "-")
  return [rows[0] ?? "", `| ${delimiters.join(" | ")} |`, ...rows.slice(1)].join("\n")
}

const options: Options = { bullet: "-", rule: "-", handlers: { paragraph, heading, table } }
