import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import dialect from "../../.ci/house/dialect.json" with { type: "json" }
import { dialectWords } from "../../.ci/house/dialectWords.ts"
import { entryExports, hasExample } from "../../.ci/house/entryExports.ts"
import { documents, readPackages, repositoryRoot, sourceFiles } from "../../.ci/house/SourceTree.ts"
import { sentences, wordsIn } from "../../.ci/house/sentences.ts"

const found = (text: string, path = "packages/core/src/a.ts") =>
  dialectWords(path, text, dialect).map(({ line, word }) => `${line} ${word}`)

describe("words of the old dialect", () => {
  it("are found in comments, strings and documents, over the end of a line too", () => {
    assert.deepStrictEqual(found("// It is gone on with.\n"), ["1 gone on with"])
    assert.deepStrictEqual(found('const a = "Set aside: no more than 3"\n'), ["1 Set aside", "1 no more than"])
    assert.deepStrictEqual(found("/**\n * Such a run goes on\n * with it.\n */\n"), ["2 goes on with"])
    assert.deepStrictEqual(found("One.\n\nWhoever reads it.\n", "docs/a.md"), ["3 Whoever"])
    assert.deepStrictEqual(found("are told apart, lets them through, held each against\n", "a.md"), [
      "1 told apart",
      "1 lets them through",
      "1 held each against"
    ])
  })

  it("are found in identifiers and file names, and not in strings that hold the same text", () => {
    assert.deepStrictEqual(found("const purse = 1\n"), ["1 purse"])
    assert.deepStrictEqual(found('const a = "purse"\n'), [])
    assert.deepStrictEqual(found("", "packages/core/src/carryOut.ts"), ["0 carryOut"])
    assert.deepStrictEqual(found("proveHeld(proven, approve)\n"), ["1 proveHeld", "1 proveHeld"])
    assert.deepStrictEqual(found("letters, replayLetters, deadLetter, DeadLetterQueue, LETTER\n"), [
      "1 letters",
      "1 replayLetters",
      "1 LETTER"
    ])
  })

  it("are not found in standard English, code of documents and module names", () => {
    assert.deepStrictEqual(found("// S3 stands for a service. He understands it. Go on.\n"), [])
    assert.deepStrictEqual(found("Use `set aside` so.\n```\nwhoever\n```\n", "docs/a.md"), [])
    assert.deepStrictEqual(found('import { a } from "./letters/a.ts"\n'), [])
  })

  it("are gone from the parts that are clean", () => {
    const files = [
      ...readPackages(repositoryRoot).flatMap((each) => each.files),
      ...documents(repositoryRoot).map((path) => ({ path, text: readFileSync(join(repositoryRoot, path), "utf8") }))
    ].filter(({ path }) => dialect.clean.some((prefix) => path.startsWith(prefix)))
    assert.isNotEmpty(files)
    assert.deepStrictEqual(
      files.flatMap(({ path, text }) =>
        dialectWords(path, text, dialect).map(({ instead, line, word }) => `${path}:${line} ${word} (${instead})`)
      ),
      []
    )
  })
})

describe("figures", () => {
  it("count what an entry exports, by whichever way, once", () => {
    const files = sourceFiles(
      new Map([
        [
          "p/src/index.ts",
          'export * from "./a.ts"\nexport { b as c, type D } from "./b.ts"\nexport * as E from "./a.ts"\n'
        ],
        [
          "p/src/a.ts",
          "/**\n * One.\n * @example\n */\nexport const a = 1\nexport type a = number\nconst hidden = 1\n"
        ],
        ["p/src/b.ts", "/** Two. */\nexport const b = 1\nexport interface D {}\nexport class F {}\n"]
      ])
    )
    const names = entryExports({ folder: "p", name: "p", files }, ["p/src/index.ts"])
    assert.deepStrictEqual(
      names.map((each) => `${each.name} ${each.path.slice(-4)} ${hasExample(each)}`),
      ["a a.ts true", "c b.ts false", "D b.ts false", "E a.ts true"]
    )
  })

  it("measure sentences, not code, headings or addresses", () => {
    const text =
      "# A heading of words\n\nOne two [three](https://a.b). Four five `six` seven!\n\n```\nnot this one\n```\n- eight nine ten\n"
    assert.deepStrictEqual(sentences(text).map(wordsIn), [3, 4, 3])
  })
})
