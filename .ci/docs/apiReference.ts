import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { Node } from "typescript/unstable/ast"
import {
  isObjectLiteralExpression,
  isPropertyAssignment,
  isShorthandPropertyAssignment,
  isVariableDeclaration
} from "typescript/unstable/ast/is"
import { API, type Project, SymbolFlags, type Symbol as TypeScriptSymbol } from "typescript/unstable/sync"
import { repositoryRoot } from "../house/SourceTree.ts"
import { signatureText } from "./signatureText.ts"

/** A page of the reference. `path` is relative to `docs`. */
export interface ApiPage {
  readonly path: string
  readonly title: string
  readonly text: string
}

/** The packages that users write programs with, in the order of the reference. */
const packages = ["core", "sink-postgres", "sink-s3", "testkit"]

let made: ReadonlyArray<ApiPage> | undefined

/** Makes a page for each entry of these packages, once a process: what it exports, with doc comments and signatures. */
export const apiPages = (): ReadonlyArray<ApiPage> => {
  made ??= makePages()
  return made
}

/** The page of a path relative to `docs`, if it is one of the API. */
export const apiPage = (path: string): ApiPage | undefined => apiPages().find((each) => each.path === path)

const makePages = (): ReadonlyArray<ApiPage> => {
  const api = new API({ cwd: repositoryRoot })
  try {
    const [project] = api.updateSnapshot({ openProjects: [join(repositoryRoot, "tsconfig.json")] }).getProjects()
    if (project === undefined) throw new Error("tsconfig.json describes no project")
    return packages.flatMap((name) =>
      Object.entries(exportsOf(name)).map(([entry, file]) => {
        const title = `@sluice/${name}${entry.slice(1)}`
        const path = `reference/api/${title.slice("@sluice/".length).replaceAll("/", "-")}.md`
        return { path, title, text: pageText(title, join(repositoryRoot, "packages", name, file), project) }
      })
    )
  } finally {
    api.close()
  }
}

const exportsOf = (name: string): Readonly<Record<string, string>> => {
  const manifest: { readonly exports: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(join(repositoryRoot, "packages", name, "package.json"), "utf8")
  )
  return manifest.exports
}

const pageText = (title: string, file: string, project: Project): string => {
  const source = project.program.getSourceFile(file)
  const module = source === undefined ? undefined : project.checker.getSymbolAtLocation(source)
  if (module === undefined) throw new Error(`${file} is not part of tsconfig.json`)
  const sections = exportedBy(module, project).map((symbol) => symbolText(symbol, symbol.name, 2, project))
  return `${[`# ${title}`, `What \`import { ... } from "${title}"\` offers, by name.`, ...sections].join("\n\n")}\n`
}

const exportedBy = (module: TypeScriptSymbol, { checker }: Project): ReadonlyArray<TypeScriptSymbol> =>
  [...checker.getExportsOfModule(module)].sort((a, b) => a.name.localeCompare(b.name))

const resolved = (symbol: TypeScriptSymbol, { checker }: Project) =>
  (symbol.flags & SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol)

const symbolText = (exported: TypeScriptSymbol, name: string, level: number, project: Project): string => {
  const symbol = resolved(exported, project)
  const heading = `${"#".repeat(level)} ${name}`
  if ((symbol.flags & SymbolFlags.ValueModule) !== 0) {
    const inside = exportedBy(symbol, project).map((each) =>
      symbolText(each, `${name}.${each.name}`, level + 1, project)
    )
    return [heading, ...inside].join("\n\n")
  }
  const declarations = symbol.declarations.flatMap((handle) => handle.resolve(project) ?? [])
  const members = declarations.flatMap((declaration) => membersOf(declaration, project))
  const own = name.split(".").at(-1) ?? name
  const signatures = declarations
    .filter((declaration) => membersOf(declaration, project).length === 0)
    .map((declaration) => signatureText(declaration, own, project))
  return [
    heading,
    ...docsOf(symbol, project),
    ...(signatures.length === 0 ? [] : [fenced(signatures.join("\n\n"))]),
    ...members.map(([member, value]) => symbolText(value, `${name}.${member}`, level + 1, project))
  ].join("\n\n")
}

/** Lists the functions of a constant such as `export const Crawl = { make, records }`. */
const membersOf = (declaration: Node, { checker }: Project): ReadonlyArray<readonly [string, TypeScriptSymbol]> => {
  if (!isVariableDeclaration(declaration) || declaration.initializer === undefined) return []
  if (!isObjectLiteralExpression(declaration.initializer)) return []
  const members = declaration.initializer.properties.flatMap((property) => {
    if (isShorthandPropertyAssignment(property)) {
      const value = checker.getShorthandAssignmentValueSymbol(property)
      return value === undefined ? [] : [[property.name.getText(), value] as const]
    }
    if (!isPropertyAssignment(property)) return []
    const value = checker.getSymbolAtLocation(property.initializer)
    return value === undefined ? [] : [[property.name.getText(), value] as const]
  })
  return members.length === declaration.initializer.properties.length ? members : []
}

/** Reads a doc comment and its examples as Markdown. */
const docsOf = (symbol: TypeScriptSymbol, { checker }: Project): ReadonlyArray<string> => {
  const text = symbol.getDocumentationComment(checker)
  const examples = symbol.getJsDocTags(checker).filter(({ name }) => name === "example")
  return [text, ...examples.map(({ text: example }) => plain(example))]
    .map((each) => outsideCode(each.trim()))
    .filter((each) => each !== "")
}

const plain = (text: unknown): string =>
  typeof text === "string"
    ? text
    : Array.isArray(text)
      ? text.map((part: { readonly text: string }) => part.text).join("")
      : ""

/** Links of doc comments become code, and what looks like a tag is escaped. */
const outsideCode = (text: string): string =>
  text
    .split(/(```[\s\S]*?```|`[^`\n]*`)/)
    .map((part, index) =>
      index % 2 === 1 ? part : part.replace(/\{@link ([^}|\s]+)[^}]*\}/g, "`$1`").replaceAll("<", "&lt;")
    )
    .join("")

const fenced = (code: string) => `\`\`\`ts\n${code}\n\`\`\``
