/**
 * Prints the figures of this repository: sizes, exports, import cycles, arrows between rooms, sentences, and words of the old
 * dialect with their places. Usage: `pnpm house [PATH...]`; paths limit the list of words. Exits with 1 if there is a cycle, an
 * upward arrow or, with `--strict`, a word of the old dialect.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import dialect from "./dialect.json" with { type: "json" }
import { dialectWords } from "./dialectWords.ts"
import { entryExports, hasExample } from "./entryExports.ts"
import { importCycles } from "./importCycles.ts"
import rooms from "./rooms.json" with { type: "json" }
import { documents, entriesOf, readPackages, repositoryRoot } from "./SourceTree.ts"
import { sentences, wordsIn } from "./sentences.ts"
import { upwardArrows } from "./upwardArrows.ts"

const options = process.argv.slice(2)
const isStrict = options.includes("--strict")
const paths = options.filter((option) => !option.startsWith("--"))
const say = (line: string) => process.stdout.write(`${line}\n`)
const quantile = (values: ReadonlyArray<number>, share: number) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0
const percent = (part: number, whole: number) => `${whole === 0 ? 0 : Math.round((100 * part) / whole)} %`

const packages = readPackages(repositoryRoot)

say("package                  files  median  p90  exports  with example")
let exported = 0
let withExample = 0
for (const each of packages) {
  const lines = each.files.map(({ text }) => text.split("\n").length - 1)
  const names = entryExports(each, entriesOf(repositoryRoot, each.folder))
  const shown = names.filter(hasExample).length
  exported += names.length
  withExample += shown
  const cells = [lines.length, quantile(lines, 0.5), quantile(lines, 0.9), names.length]
  const [files = 0, median = 0, p90 = 0, count = 0] = cells
  say(
    `${each.folder.padEnd(23)}${String(files).padStart(7)}${String(median).padStart(8)}${String(p90).padStart(5)}${String(count).padStart(9)}${percent(shown, count).padStart(14)}`
  )
}
say("")
say(`exported names with an example: ${withExample} of ${exported} (${percent(withExample, exported)})`)

for (const { entry, names } of packages.flatMap((each) =>
  entriesOf(repositoryRoot, each.folder).map((entry) => ({ entry, names: entryExports(each, [entry]) }))
)) {
  say(`  ${entry.padEnd(42)}${names.filter(hasExample).length} of ${names.length}`)
}

const cycles = packages.flatMap(({ files }) => importCycles(files))
const arrows = upwardArrows(packages, rooms)
say(`import cycles: ${cycles.length}`)
for (const cycle of cycles) say(`  ${cycle.join(" -> ")}`)
say(`upward arrows: ${arrows.length}`)
for (const arrow of arrows) say(`  ${arrow}`)

const docs = documents(repositoryRoot).map((path) => ({
  path,
  text: readFileSync(join(repositoryRoot, path), "utf8")
}))
const lengths = docs.flatMap(({ text }) => sentences(text).map(wordsIn))
const words = lengths.reduce((sum, length) => sum + length, 0)
say(`sentences of the docs: ${lengths.length}, ${(words / lengths.length).toFixed(1)} words on average`)

const uses = [...packages.flatMap(({ files }) => files), ...docs]
  .filter(({ path }) => paths.length === 0 || paths.some((prefix) => path.startsWith(prefix)))
  .flatMap(({ path, text }) => dialectWords(path, text, dialect))
say(`words of the old dialect: ${uses.length}${paths.length === 0 ? "" : ` in ${paths.join(", ")}`}`)
for (const { instead, line, path, word } of uses) say(`  ${path}${line === 0 ? "" : `:${line}`}  ${word}  (${instead})`)

process.exitCode = cycles.length + arrows.length + (isStrict ? uses.length : 0) === 0 ? 0 : 1
