import type { SourceFile } from "./SourceTree.ts"

/** Finds the groups of files that import each other in a circle, each as one circle in order. */
export const importCycles = (files: ReadonlyArray<SourceFile>): ReadonlyArray<ReadonlyArray<string>> => {
  const importsOf = new Map(files.map((file) => [file.path, file.imports]))
  const done = new Set<string>()
  const cycles: Array<ReadonlyArray<string>> = []
  const visit = (path: string, trail: ReadonlyArray<string>): void => {
    const start = trail.indexOf(path)
    if (start !== -1) {
      cycles.push(trail.slice(start))
      return
    }
    if (done.has(path)) return
    const next = [...trail, path]
    for (const target of importsOf.get(path) ?? []) visit(target, next)
    done.add(path)
  }
  for (const { path } of files) visit(path, [])
  return cycles
}
