/** Fails when a package or a room imports from one that is not below it, or when files import each other in a circle. */
import { importCycles } from "./importCycles.ts"
import rooms from "./rooms.json" with { type: "json" }
import { readPackages, repositoryRoot } from "./SourceTree.ts"
import { upwardArrows } from "./upwardArrows.ts"

const packages = readPackages(repositoryRoot)
const problems = [
  ...upwardArrows(packages, rooms),
  ...packages.flatMap(({ files }) => importCycles(files)).map((cycle) => `import cycle: ${cycle.join(" -> ")}`)
]
for (const problem of problems) process.stderr.write(`${problem}\n`)
process.exitCode = problems.length === 0 ? 0 : 1
