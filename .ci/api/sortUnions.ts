import { createRequire } from "node:module"

/** API Extractor's own TypeScript: that of the workspace has no API to parse with. */
const require = createRequire(createRequire(import.meta.url).resolve("@microsoft/api-extractor"))
const ts: typeof import("typescript") = require("typescript")

type Node = import("typescript").Node

/** A report with the members of each union in alphabetical order: the compiler writes them in another order in every build. */
export const sortUnions = (report: string): string =>
  report.replace(/(?<=```ts\n)[\s\S]*?(?=```)/g, (code) => {
    const source = ts.createSourceFile("report.d.ts", code, ts.ScriptTarget.Latest, true)
    return sorted(source, code)
  })

/** The text of a node, comments before it included. */
const sorted = (node: Node, code: string): string => {
  const children: Array<Node> = []
  ts.forEachChild(node, (child) => void children.push(child))
  if (ts.isUnionTypeNode(node)) {
    const leading = code.slice(node.pos, node.getStart())
    return (
      leading +
      children
        .map((child) => sorted(child, code).trim())
        .sort()
        .join(" | ")
    )
  }
  let text = ""
  let at = node.pos
  for (const child of children.sort((a, b) => a.pos - b.pos)) {
    text += code.slice(at, child.pos) + sorted(child, code)
    at = child.end
  }
  return text + code.slice(at, node.end)
}
