const exported = /^export (?:declare )?(?:abstract )?(?:type|interface|class|const|function|namespace|enum) (\w+)/gm
const listed = /^export \{ (\w+)(?: as (\w+))? \}/gm
const inNamespace = /^ {8}(\w+)(?: as \w+)?,?$/gm
const declared = /^(?:\/\/.*\n)*(?:declare )?(?:abstract )?(type|interface|class|enum|const) (\w+)/

/** The names that an API report says can be imported, members of namespaces included. */
export const exportedNames = (report: string): ReadonlyArray<string> => [
  ...Array.from(report.matchAll(exported), ([, name = ""]) => name),
  ...Array.from(report.matchAll(listed), ([, name = "", alias = name]) => alias),
  ...Array.from(report.matchAll(inNamespace), ([, name = ""]) => name)
]

/**
 * The types that an API report declares without exporting them although a declaration names them. The bases of classes do not
 * count: what only the `reason` of an error names is `SomeError["reason"]`. A number at the end of a name keeps apart two
 * declarations of one name.
 */
export const unnamedTypes = (report: string): ReadonlyArray<string> => {
  const declarations = report.split("\n\n").map((text) => {
    const [, kind = "", name = ""] = declared.exec(text) ?? []
    return { kind, name, words: new Set(text.match(/\w+/g)) }
  })
  const types = new Set(declarations.flatMap(({ kind, name }) => (name === "" || kind === "const" ? [] : [name])))
  const isNamed = (type: string) =>
    declarations.some(({ name, words }) => name !== type && !/_base(_\d+)?$/.test(name) && words.has(type))
  return [...types].filter(isNamed).map((name) => name.replace(/_\d+$/, ""))
}
