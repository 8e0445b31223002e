import { posix } from "node:path"
import type { SourcePackage } from "./SourceTree.ts"

/** A name that a package exports. */
export interface ExportedName {
  readonly name: string
  /** The file that declares it. */
  readonly path: string
  /** Its doc comments, or an empty text. */
  readonly doc: string
  readonly isValue: boolean
  /** What a namespace exports. */
  readonly members?: ReadonlyArray<ExportedName>
}

const fromClause = /^export\s+(type\s+)?(\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s+"([^"]+)"/gm
const declaration =
  /(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*)?^export\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(const|let|class|function\*?|interface|type|enum)\s+(\w+)/gm

/** Lists what the entry files of a package export, each name once, however many kinds of it there are. */
export const entryExports = ({ files }: SourcePackage, entries: ReadonlyArray<string>): ReadonlyArray<ExportedName> => {
  const texts = new Map(files.map(({ path, text }) => [path, text]))
  const namesOf = (path: string): ReadonlyMap<string, ExportedName> => {
    const text = texts.get(path) ?? ""
    const names = new Map<string, ExportedName>()
    for (const [, doc = "", kind = "", name = ""] of text.matchAll(declaration)) {
      const before = names.get(name)
      const isValue = before?.isValue === true || (kind !== "type" && kind !== "interface")
      names.set(name, { name, path, doc: `${before?.doc ?? ""}${doc}`, isValue })
    }
    for (const [, types, clause = "", from = ""] of text.matchAll(fromClause)) {
      const target = posix.normalize(posix.join(posix.dirname(path), from))
      const inner = namesOf(target)
      const namespace = /^\*\s+as\s+(\w+)/.exec(clause)?.[1]
      if (namespace !== undefined) {
        names.set(namespace, { name: namespace, path: target, doc: "", isValue: true, members: [...inner.values()] })
      } else if (clause.startsWith("*")) for (const [name, each] of inner) names.set(name, each)
      else {
        for (const part of clause.slice(1, -1).split(",")) {
          const [own = "", alias = own] = part
            .trim()
            .replace(/^type\s+/, "")
            .split(/\s+as\s+/)
          if (own === "") continue
          const declared = inner.get(own) ?? { path: target, doc: "", isValue: true }
          const isType = types !== undefined || part.trim().startsWith("type ")
          names.set(alias, { ...declared, name: alias, isValue: declared.isValue && !isType })
        }
      }
    }
    return names
  }
  return [...new Map(entries.flatMap((entry) => [...namesOf(entry)])).values()]
}

/** Whether doc comments show how a name is used: for a namespace, how each of its values is. */
export const hasExample = ({ doc, members }: ExportedName): boolean => {
  if (members === undefined) return /@example|```/.test(doc)
  const values = members.filter(({ isValue }) => isValue)
  return values.length > 0 && values.every(hasExample)
}
