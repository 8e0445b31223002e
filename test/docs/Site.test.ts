import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { DefaultTheme } from "vitepress"
import { apiPage } from "../../.ci/docs/apiReference.ts"
import { generatedPages } from "../../.ci/docs/generatedPages.ts"
import { deadLinks } from "../../.ci/docs/markdownLinks.ts"
import { entryExports } from "../../.ci/house/entryExports.ts"
import { documents, entriesOf, readPackages, repositoryRoot } from "../../.ci/house/SourceTree.ts"
import { sidebar } from "../../docs/.vitepress/sidebar.ts"

const texts = documents(repositoryRoot).map((path) => ({
  path,
  text: readFileSync(join(repositoryRoot, path), "utf8")
}))

const linksIn = (items: ReadonlyArray<DefaultTheme.SidebarItem>): ReadonlyArray<string> =>
  items.flatMap(({ items: inside = [], link }) => [...(link === undefined ? [] : [link]), ...linksIn(inside)])

describe("the documents", () => {
  it("link to files and headings that exist", () => {
    assert.deepStrictEqual(
      deadLinks(texts, (path) => existsSync(join(repositoryRoot, path))),
      []
    )
  })

  it("are each in the sidebar of the site, once", () => {
    const pages = texts
      .map(({ path }) => path)
      .filter((path) => path.startsWith("docs/") && path !== "docs/index.md" && !path.includes("["))
      .map((path) => path.slice("docs".length, -".md".length))
    const listed = linksIn(sidebar).filter((link) => !link.startsWith("/reference/api/"))
    assert.deepStrictEqual([...listed].sort(), pages.sort())
  })

  it.live("have the reference that the code gives: `pnpm docs:reference` writes it", () =>
    Effect.gen(function* () {
      for (const { path, text } of yield* generatedPages) {
        assert.strictEqual(readFileSync(join(repositoryRoot, path), "utf8"), text, `${path} is stale`)
      }
    })
  )
})

describe("the pages of the API", () => {
  it("show every name that a package exports", () => {
    for (const { folder, name, ...each } of readPackages(repositoryRoot)) {
      const page = apiPage(`reference/api/${name.slice("@sluice/".length)}.md`)
      if (page === undefined) continue
      const [entry = ""] = entriesOf(repositoryRoot, folder)
      const names = entryExports({ folder, name, ...each }, [entry]).map((exported) => exported.name)
      const headings = Array.from(page.text.matchAll(/^## (\w+)$/gm), ([, heading = ""]) => heading)
      assert.sameMembers(headings, names, name)
    }
  })

  it("show functions by what they take and give", () => {
    const page = apiPage("reference/api/sink-s3.md")?.text ?? ""
    assert.match(
      page,
      /### Directory\.fromConfig\n\n[\s\S]+?\n\n```ts\nconst fromConfig: \(config: DirectorySinkConfig\) => Sink\n```/
    )
  })
})

describe("a check of links", () => {
  it("finds files and headings that do not exist", () => {
    const found = deadLinks(
      [
        {
          path: "a.md",
          text: "# A `b`: c\n\n## Twice\n\n## Twice\n\n[x](docs/b.md#one) [y](docs/c.md) [z](#twice-1) [w](#a-b-c)\n"
        },
        {
          path: "docs/b.md",
          text: "# B\n\n```\n# one\n```\n\n[up](../a.md#none) `[code](nowhere.md)` [web](https://a.example/#x)\n"
        }
      ],
      (path) => ["a.md", "docs/b.md"].includes(path)
    )
    assert.deepStrictEqual(found, [
      "a.md links to docs/b.md#one: there is no such heading",
      "a.md links to docs/c.md: there is no such file",
      "docs/b.md links to ../a.md#none: there is no such heading"
    ])
  })
})
