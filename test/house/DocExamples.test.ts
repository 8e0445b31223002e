import { assert, describe, it } from "@effect/vitest"
import { docExamples } from "../../.ci/house/docExamples.ts"
import { entryExports, hasExample } from "../../.ci/house/entryExports.ts"
import { entriesOf, readPackages, repositoryRoot } from "../../.ci/house/SourceTree.ts"

const packages = readPackages(repositoryRoot)

/** What of an entry point has no example: a name, or a value of a namespace. */
const withoutExample = (folder: string, entry: string, only: ReadonlyArray<string> = []) => {
  const names = entryExports(packages.find((each) => each.folder === folder)!, [`${folder}/src/${entry}`])
  return names
    .filter(({ name }) => only.length === 0 || only.includes(name))
    .flatMap((each) => each.members?.filter(({ isValue }) => isValue) ?? [each])
    .filter((each) => !hasExample(each))
    .map(({ name }) => name)
}

describe("doc comments", () => {
  it("show how all that programs compose pipelines with is used", () => {
    assert.include(entriesOf(repositoryRoot, "packages/core"), "packages/core/src/index.ts")
    assert.deepStrictEqual(withoutExample("packages/core", "index.ts"), [])
  })

  it("show how sinks, ledgers and stores of Postgres, S3 and directories are used", () => {
    assert.deepStrictEqual(withoutExample("packages/sink-postgres", "index.ts", ["Postgres"]), [])
    assert.deepStrictEqual(withoutExample("packages/sink-s3", "index.ts", ["S3", "Directory"]), [])
  })

  it("show how the suites and the simulator are used", () => {
    const names = ["sinkSuite", "ledgerSuite", "Simulator"]
    assert.deepStrictEqual(withoutExample("packages/testkit", "index.ts", names), [])
  })

  it("give up their examples with file and line", () => {
    const text =
      "const a = 1\n\n/**\n * One.\n *\n * ```ts\n * const b = 2\n *\n * const c = `b *\\/`\n * ```\n */\nexport const d = 1\n"
    assert.deepStrictEqual(docExamples({ path: "p/a.ts", text }), [
      { at: "p/a.ts:7", text: "const b = 2\n\nconst c = `b */`\n" }
    ])
  })
})
