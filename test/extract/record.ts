import { writeFileSync } from "node:fs"
import { corpus } from "./Corpus.ts"
import { productScore } from "./productScores.ts"

// Records what the scraper's conversion scores, for the test that no page falls below it.
// node test/extract/record.ts

const scores = corpus().map((page) => [
  page.name,
  { page: productScore(page, "page"), main: productScore(page, "main") }
])
const lines = scores.map(([name, each]) => `  ${JSON.stringify(name)}: ${JSON.stringify(each)}`)
writeFileSync(new URL("./fixtures/scores.json", import.meta.url), `{\n${lines.join(",\n")}\n}\n`)
