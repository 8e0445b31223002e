import type { Table } from "mdast"
import { gfmToMarkdown } from "mdast-util-gfm"
import { type Options, toMarkdown } from "mdast-util-to-markdown"
import { text } from "./escapeText.ts"
import type { HtmlDocument } from "./HtmlDocument.ts"
import { mainContent, wholePage } from "./MainContent.ts"
import { mdastOf } from "./mdastOf.ts"

/** How much of a page becomes Markdown: all of it, or what is left without menus, advertising and the like. */
export type MarkdownExtent = "page" | "main"

/** A page as GitHub-flavoured Markdown, its links and images absolute. */
export const markdownOf = (document: HtmlDocument, extent: MarkdownExtent = "page"): string =>
  toMarkdown(mdastOf(extent === "main" ? mainContent(document.tree) : wholePage(document.tree), document.base), options)

/** Rows as short as they are: lined up, a table with one long row among many would be as wide as that row in each. */
const table: NonNullable<Options["handlers"]>["table"] = (node: Table, _, state, info) => {
  const exit = state.enter("table")
  const line = (cells: ReadonlyArray<string>) => `|${cells.map((cell) => (cell === "" ? " |" : ` ${cell} |`)).join("")}`
  const rows = node.children.map((row) => line(row.children.map((cell) => state.handle(cell, row, state, info))))
  const marks = { left: ":-", right: "-:", center: ":-:" }
  const width = node.children[0]?.children.length ?? 0
  const delimiters = Array.from({ length: width }, (_, index) => marks[node.align?.[index] ?? ("" as "left")] ?? "-")
  exit()
  return [rows[0] ?? "", line(delimiters), ...rows.slice(1)].join("\n")
}

const options: Options = { bullet: "-", rule: "-", extensions: [gfmToMarkdown(), { handlers: { table, text } }] }
