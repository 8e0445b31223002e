import { Result } from "effect"
import {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  visit,
  type YAMLParseError
} from "yaml"
import { interpolate } from "./interpolate.ts"

/** One thing wrong with a file, where its text says so. Lines and columns count from 1. */
export interface TextIssue {
  readonly line: number
  readonly column: number
  readonly path: ReadonlyArray<string | number>
  readonly message: string
}

/** A parsed file that still knows where each value stands. */
export interface ConfigText {
  readonly value: unknown
  /** Where a path stands: the name of its member if there is one, else the nearest thing around it. */
  readonly locate: (path: ReadonlyArray<string | number>) => { readonly line: number; readonly column: number }
}

/**
 * Parses YAML, or JSON as the part of YAML it is, and fills in variables. `language` is what errors call it; `onVariable`
 * is told every value put in, and where.
 */
export const readConfigText = (
  text: string,
  language: "YAML" | "JSON",
  environment: Readonly<Record<string, string | undefined>>,
  onVariable: (value: string, path: ReadonlyArray<string | number>) => void
): Result.Result<ConfigText, ReadonlyArray<TextIssue>> => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const position = (offset: number) => {
    const { col, line } = lines.linePos(offset)
    return { line, column: col }
  }
  if (document.errors.length > 0) {
    return Result.fail(
      document.errors.map((error) => ({
        ...position(error.pos[0]),
        path: [],
        message: `not valid ${language}: ${describe(error)}`
      }))
    )
  }
  const issues: Array<TextIssue> = []
  visit(document, {
    Alias: (_, node, ancestors) => {
      if (node.resolve(document) !== undefined) return
      const message = "what begins with * refers to an anchor, and there is none of this name; put the value in quotes"
      issues.push({ ...position(node.range?.[0] ?? 0), path: pathOf(ancestors, node), message })
    },
    Scalar: (key, node, ancestors) => {
      if (key === "key" || typeof node.value !== "string") return
      const path = pathOf(ancestors, node)
      const filled = interpolate(node.value, environment, (value) => onVariable(value, path))
      if (Result.isSuccess(filled)) {
        node.value = filled.success
        return
      }
      const message = `environment variable ${filled.failure.variable} is not set; set it, or write the value here`
      issues.push({ ...position(node.range?.[0] ?? 0), path, message })
    }
  })
  if (issues.length > 0) return Result.fail(issues)
  return Result.try({
    try: (): ConfigText => ({
      value: document.toJS({ maxAliasCount: 100 }),
      locate: (path) => position(offsetOf(document.contents, path))
    }),
    catch: () => [{ line: 1, column: 1, path: [], message: "its anchors and aliases multiply beyond all measure" }]
  })
}

/** The parser's words, without the text they may quote at their end. */
const describe = ({ code, message }: YAMLParseError): string =>
  code === "MULTIPLE_DOCS"
    ? "there is more than one document in it; remove the line --- and what follows"
    : message.replace(/: .*$/s, "")

/** The path to a node through the maps and lists around it. */
const pathOf = (ancestors: ReadonlyArray<unknown>, node: unknown): ReadonlyArray<string | number> => {
  const path: Array<string | number> = []
  const chain = [...ancestors, node]
  chain.forEach((ancestor, depth) => {
    const inner = chain[depth + 1]
    if (isSeq(ancestor)) path.push(ancestor.items.indexOf(inner))
    if (isMap(ancestor)) {
      const pair = ancestor.items.find((item) => item === inner)
      if (pair !== undefined && isScalar(pair.key)) path.push(String(pair.key.value))
    }
  })
  return path
}

const offsetOf = (root: ParsedNode | null, path: ReadonlyArray<string | number>): number => {
  let node: Node | null | undefined = root
  let offset = root?.range?.[0] ?? 0
  for (const key of path) {
    if (isSeq(node)) {
      node = node.items[Number(key)] as Node | undefined
      offset = node?.range?.[0] ?? offset
    } else if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key))
      if (pair === undefined) break
      offset = (pair.key as Node).range?.[0] ?? offset
      node = pair.value as Node | null
    } else break
  }
  return offset
}
