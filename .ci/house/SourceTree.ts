import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, posix } from "node:path"

/** One TypeScript file. `path` is relative to the repository and uses `/`. */
export interface SourceFile {
  readonly path: string
  readonly text: string
  /** The files of the tree that it imports, types included. */
  readonly imports: ReadonlyArray<string>
  /** The names of the packages that it imports. */
  readonly packages: ReadonlyArray<string>
}

/** The sources of one package. */
export interface SourcePackage {
  /** Where the package is, such as `packages/core`. */
  readonly folder: string
  readonly name: string
  readonly files: ReadonlyArray<SourceFile>
}

const specifier = /(?:\bfrom\s*|\bimport\s*\(?\s*)"([^"\n]+)"/g
const comments = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm

/** Reads the modules that a text imports. Comments do not count: examples in them import what they like. */
const specifiersOf = (text: string): ReadonlyArray<string> =>
  [...text.replace(comments, "").matchAll(specifier)].flatMap(([, name]) => (name === undefined ? [] : [name]))

const packageOf = (name: string) => name.split("/", name.startsWith("@") ? 2 : 1).join("/")

/** Makes the files of a tree from their texts. */
export const sourceFiles = (texts: ReadonlyMap<string, string>): ReadonlyArray<SourceFile> =>
  Array.from(texts, ([path, text]) => {
    const names = specifiersOf(text)
    const imports = names
      .filter((name) => name.startsWith("."))
      .map((name) => posix.normalize(posix.join(posix.dirname(path), name)))
    return {
      path,
      text,
      imports: imports.filter((target) => texts.has(target)),
      packages: names.filter((name) => !/^\.|^node:/.test(name)).map(packageOf)
    }
  })

/** Lists the files of a folder and the folders in it, as paths relative to `root`. */
const filesIn = (root: string, folder: string): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("node_modules"))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll("\\", "/").replace(/^\//, ""))
    .sort()

/** Reads the sources of every package of the repository. */
export const readPackages = (root: string): ReadonlyArray<SourcePackage> =>
  ["packages", "apps"].flatMap((group) =>
    readdirSync(join(root, group), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => {
        const folder = `${group}/${name}`
        const manifest: { readonly name: string } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"))
        const paths = filesIn(root, `${folder}/src`).filter((path) => path.endsWith(".ts"))
        const texts = new Map(paths.map((path) => [path, readFileSync(join(root, path), "utf8")]))
        return { folder, name: manifest.name, files: sourceFiles(texts) }
      })
  )

/** The root of the repository, of which this file is a part. */
export const repositoryRoot = dirname(dirname(import.meta.dirname))

/** The entry files of a package, by its `exports`. */
export const entriesOf = (root: string, folder: string): ReadonlyArray<string> => {
  const manifest: { readonly exports?: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(join(root, folder, "package.json"), "utf8")
  )
  return Object.values(manifest.exports ?? {})
    .filter((entry) => entry.endsWith(".ts"))
    .map((entry) => posix.join(folder, entry))
}

/** The documents of the repository. */
export const documents = (root: string): ReadonlyArray<string> => [
  ...readdirSync(root).filter((name) => name.endsWith(".md") && name !== "CHANGELOG.md"),
  ...filesIn(root, "docs").filter((path) => path.endsWith(".md"))
]
