import { typesAt } from "@sluice/core/config"
import { Predicate, Result } from "effect"
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
  type YAMLParseError
} from "yaml"
import { interpolate } from "./interpolate.ts"
import { Reference, valueOf } from "./Reference.ts"
import { strictJson } from "./strictJson.ts"

type Path = ReadonlyArray<string | number>

/** One thing wrong with a file, where its text says so. Lines and columns count from 1. */
export interface TextIssue {
  readonly line: number
  readonly column: number
  readonly path: Path
  readonly message: string
}

/** A parsed file that still knows where each value is. */
export interface ConfigText {
  readonly value: unknown
  /** Where a path is: the name of its member if there is one, else the nearest thing around it. */
  readonly locate: (path: Path) => { readonly line: number; readonly column: number }
  /** The variables that the value at a path came from. */
  readonly variablesAt: (path: Path) => ReadonlyArray<string>
}

/** How a file is read. */
export interface ConfigReading {
  /** What errors call the language. */
  readonly language: "YAML" | "JSON"
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The JSON Schema of the file: it says where a variable is a number or a boolean. Asked for if there is a variable. */
  readonly schema: () => unknown
}

/** What holds settings to be shared by anchors and merge keys, or is for editors: no member of the pipeline. */
const shared = /^(?:x-|\$schema$)/

/** Parses YAML, or JSON as the part of YAML it is, merges `<<`, drops `x-…` blocks and fills in variables. */
export const readConfigText = (
  text: string,
  { environment, language, schema }: ConfigReading
): Result.Result<ConfigText, ReadonlyArray<TextIssue>> => {
  const lines = new LineCounter()
  const isYaml = language === "YAML"
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, merge: isYaml })
  const position = (offset: number) => {
    const { col, line } = lines.linePos(offset)
    return { line, column: col }
  }
  const issueAt = (offset: number, path: Path, message: string): TextIssue => ({ ...position(offset), path, message })
  const malformed = isYaml ? undefined : strictJson(text)
  if (malformed !== undefined) return Result.fail([issueAt(malformed.offset, [], malformed.message)])
  // What follows the first of them are mostly its consequences.
  const [error] = document.errors
  if (error !== undefined) {
    return Result.fail([issueAt(error.pos[0], [], `not valid ${language}: ${describe(error, text)}`)])
  }
  const issues = findIssues(document, environment, issueAt)
  if (issues.length > 0) return Result.fail(issues)
  return Result.try({
    try: () => document.toJS({ maxAliasCount: 100 }),
    catch: () => [issueAt(0, [], "its anchors and aliases multiply beyond all measure")]
  }).pipe(
    Result.flatMap((written: unknown) => {
      const unset: Array<TextIssue> = []
      const references = new Map<string, Reference>()
      const value = fillIn(withoutShared(written), [], schema, (reference, path) => {
        references.set(path.join("\0"), reference)
        if (reference.problem !== undefined) unset.push(issueAt(reference.offset, path, reference.problem))
      })
      if (unset.length > 0) return Result.fail(unset)
      return Result.succeed<ConfigText>({
        value,
        locate: (path) => position(offsetOf(document, path)),
        variablesAt: (path) => references.get(path.join("\0"))?.variables ?? []
      })
    })
  )
}

/** Puts a {@link Reference} in the place of every text with a variable; answers what is wrong with anchors and merge keys. */
const findIssues = (
  document: Document.Parsed,
  environment: Readonly<Record<string, string | undefined>>,
  issueAt: (offset: number, path: Path, message: string) => TextIssue
): ReadonlyArray<TextIssue> => {
  const issues: Array<TextIssue> = []
  visit(document, {
    Alias: (_, node, ancestors) => {
      if (node.resolve(document) !== undefined) return
      const message = "what begins with * refers to an anchor, and there is none of this name; put the value in quotes"
      issues.push(issueAt(node.range?.[0] ?? 0, pathOf(ancestors, node), message))
    },
    Pair: (_, pair, ancestors) => {
      const offset = (pair.key as Node | null)?.range?.[0] ?? 0
      const path = [...pathOf(ancestors, pair), nameOf(pair) ?? ""]
      if (isMergeKey(pair) && !mergeable(document, pair.value)) {
        issues.push(issueAt(offset, path, "<< takes a map or an alias of one, or a list of those"))
      }
      if (/\$\{/.test(nameOf(pair) ?? "")) {
        issues.push(issueAt(offset, path, "the name of a member cannot hold a variable; write the name out"))
      }
    },
    Scalar: (key, node) => {
      if (key === "key" || typeof node.value !== "string" || !node.value.includes("$")) return
      const filled = interpolate(node.value, environment)
      const offset = node.range?.[0] ?? 0
      node.value = Result.isFailure(filled)
        ? new Reference({ text: "", variables: [], problem: filled.failure, offset })
        : filled.success.variables.length === 0
          ? filled.success.text
          : new Reference({ ...filled.success, problem: undefined, offset })
    }
  })
  return issues
}

/** The parser's words, without the text they may quote at their end. */
const describe = ({ code, message, pos: [at] }: YAMLParseError, text: string): string => {
  if (code === "MULTIPLE_DOCS") return "there is more than one document in it; remove the line --- and what follows"
  if (text[at] === "{" && text[at - 1] === "$")
    return "put a variable in braces in quotes where it is within { } or [ ]"
  return message.replace(/: .*$/s, "")
}

const withoutShared = (value: unknown): unknown =>
  Predicate.isReadonlyObject(value) && !Array.isArray(value) && !(value instanceof Reference)
    ? Object.fromEntries(Object.entries(value).filter(([name]) => !shared.test(name)))
    : value

/** The value with every {@link Reference} replaced by what its place takes; `see` is told of each. */
const fillIn = (
  value: unknown,
  path: Path,
  schema: () => unknown,
  see: (reference: Reference, path: Path) => void
): unknown => {
  if (value instanceof Reference) {
    see(value, path)
    return valueOf(value, typesAt(schema(), path))
  }
  if (Array.isArray(value)) return value.map((item, index) => fillIn(item, [...path, index], schema, see))
  if (!Predicate.isReadonlyObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, fillIn(member, [...path, name], schema, see)])
  )
}

/** The name of a member; that of a merge key is a symbol, so that none of a member is taken for it. */
const nameOf = ({ key }: Pair): string | undefined =>
  !isScalar(key) ? undefined : typeof key.value === "symbol" ? key.value.description : String(key.value)

const isMergeKey = ({ key }: Pair): boolean => isScalar(key) && typeof key.value === "symbol"

const mergeable = (document: Document.Parsed, value: unknown): boolean => {
  const node = isAlias(value) ? value.resolve(document) : value
  if (isSeq(node)) return node.items.every((item) => isMap(isAlias(item) ? item.resolve(document) : item))
  // An alias of nothing has an issue of its own.
  return isMap(node) || node === undefined
}

/** The path to a node through the maps and lists around it. */
const pathOf = (ancestors: ReadonlyArray<unknown>, node: unknown): Path => {
  const path: Array<string | number> = []
  const chain = [...ancestors, node]
  chain.forEach((ancestor, depth) => {
    const inner = chain[depth + 1]
    if (isSeq(ancestor)) path.push(ancestor.items.indexOf(inner))
    if (isMap(ancestor)) {
      const pair = inner === node ? undefined : ancestor.items.find((item) => item === inner)
      if (pair !== undefined) path.push(nameOf(pair) ?? "")
    }
  })
  return path
}

/** Where a path is in the text, through aliases and merged maps. */
const offsetOf = (document: Document.Parsed, path: Path): number => {
  let node: unknown = document.contents
  let offset = document.contents?.range?.[0] ?? 0
  for (const key of path) {
    const at = isAlias(node) ? node.resolve(document) : node
    if (isSeq(at)) {
      node = at.items[Number(key)]
      offset = (node as Node | undefined)?.range?.[0] ?? offset
    } else if (isMap(at)) {
      const pair = pairIn(document, at, String(key), 0)
      if (pair === undefined) break
      offset = (pair.key as Node).range?.[0] ?? offset
      node = pair.value
    } else break
  }
  return offset
}

/** How deep merged maps are looked into. */
const deepest = 16

const pairIn = (document: Document.Parsed, map: YAMLMap, key: string, depth: number): Pair | undefined => {
  const own = map.items.find((item) => nameOf(item) === key && !isMergeKey(item))
  if (own !== undefined || depth > deepest) return own
  for (const merge of map.items.filter(isMergeKey)) {
    const source = isAlias(merge.value) ? merge.value.resolve(document) : merge.value
    for (const each of isSeq(source) ? source.items : [source]) {
      const merged = isAlias(each) ? each.resolve(document) : each
      const found = isMap(merged) ? pairIn(document, merged, key, depth + 1) : undefined
      if (found !== undefined) return found
    }
  }
  return undefined
}
