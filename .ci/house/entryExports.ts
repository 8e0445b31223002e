import { posix } from "node:path"
import type { SourcePackage } from "./SourceTree.ts"

/** A name that a package exports. */
export interface ExportedName {
  readonly name: string
  /** The file that declares it. */
  readonly path: string
  /** Its doc comment, or an empty text. */
  readonly doc: string
}

const fromClause = /^export\s+(?:type\s+)?(\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s+"([^"]+)"/gm
const declaration =
  /(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*)?^export\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:const|let|class|function\*?|interface|type|enum)\s+(\w+)/gm

/** Lists what the entry files of a package export, each name once, however many kinds of it there are. */
export const entryExports = ({ files }: SourcePackage, entries: ReadonlyArray<string>): ReadonlyArray<ExportedName> => {
  const texts = new Map(files.map(({ path, text }) => [path, text]))
  const namesOf = (path: string): ReadonlyMap<string, ExportedName> => {
    const text = texts.get(path) ?? ""
    const names = new Map<string, ExportedName>()
    for (const [, doc = "", name = ""] of text.matchAll(declaration)) {
      if (!names.has(name) || names.get(name)?.doc === "") names.set(name, { name, path, doc })
    }
    for (const [, clause = "", from = ""] of text.matchAll(fromClause)) {
      const target = posix.normalize(posix.join(posix.dirname(path), from))
      const inner = namesOf(target)
      const namespace = /^\*\s+as\s+(\w+)/.exec(clause)?.[1]
      if (namespace !== undefined) names.set(namespace, { name: namespace, path: target, doc: "" })
      else if (clause.startsWith("*")) for (const [name, each] of inner) names.set(name, each)
      else {
        for (const part of clause.slice(1, -1).split(",")) {
          const [own = "", alias = own] = part
            .trim()
            .replace(/^type\s+/, "")
            .split(/\s+as\s+/)
          if (own !== "") names.set(alias, { ...(inner.get(own) ?? { path: target, doc: "" }), name: alias })
        }
      }
    }
    return names
  }
  return entries.flatMap((entry) => [...namesOf(entry).values()])
}

/** Whether a doc comment shows how a name is used. */
export const hasExample = ({ doc }: ExportedName): boolean => /@example|```/.test(doc)
