import type { PhrasingContent } from "mdast"
import { codeSpan } from "./codeSpan.ts"
import { formulaMarkdown } from "./formulaMarkdown.ts"
import type { Attention, InlineToken } from "./InlineToken.ts"
import { isAutolink, linkTail } from "./linkDestination.ts"

const delimiters: Readonly<Record<Attention, string>> = { strong: "**", emphasis: "*", delete: "~~" }

/** Flattens phrasing content. It is as deep as there are kinds of marks. */
export const inlineTokens = (children: ReadonlyArray<PhrasingContent>, isCell: boolean): Array<InlineToken> => {
  const tokens: Array<InlineToken> = []
  const text = (value: string) => {
    const last = tokens.at(-1)
    if (last?.kind === "text") last.value += value
    else if (value !== "") tokens.push({ kind: "text", value })
  }
  const raw = (value: string) => void tokens.push({ kind: "raw", value })
  /** What a backtick, a pipe or a delimiter means is known of text only, so all else brings its own. */
  const add = (node: PhrasingContent) => {
    switch (node.type) {
      case "text":
        return text(node.value)
      case "inlineCode": {
        // Two runs of backticks side by side would be one.
        if (tokens.at(-1)?.kind === "raw" && tokens.at(-1)!.value.endsWith("`")) raw("<!---->")
        for (const token of codeSpan(node.value, isCell)) tokens.push(token)
        return
      }
      case "html":
        return raw(node.value)
      case "inlineMath":
        return raw(formulaMarkdown(node, isCell))
      case "break":
        return raw("\\\n")
      case "image":
        tokens.push({ kind: "imageOpen", value: "![" })
        text(node.alt ?? "")
        tokens.push({ kind: "linkClose", value: linkTail(node, isCell) })
        return
      case "link":
        if (isAutolink(node)) return raw(`<${node.url}>`)
        tokens.push({ kind: "linkOpen", value: "[" })
        for (const child of node.children) add(child)
        tokens.push({ kind: "linkClose", value: linkTail(node, isCell) })
        return
      case "strong":
      case "emphasis":
      case "delete": {
        const value = delimiters[node.type]
        const open: InlineToken = { kind: "open", value, attention: node.type }
        const close: InlineToken = { kind: "close", value, attention: node.type, pair: open }
        open.pair = close
        tokens.push(open)
        for (const child of node.children) add(child)
        tokens.push(close)
        return
      }
    }
  }
  for (const child of children) add(child)
  return tokens
}
