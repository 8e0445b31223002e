import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { DefaultTheme } from "vitepress"
import { apiPages } from "../../.ci/docs/apiReference.ts"

const docs = join(import.meta.dirname, "..")

/** Makes the entry of a page, under its own heading. */
const page = (path: string): DefaultTheme.SidebarItem => {
  const heading = /^# (.+)$/m.exec(readFileSync(join(docs, `${path}.md`), "utf8"))?.[1] ?? path
  return { text: heading.replaceAll("`", ""), link: `/${path}` }
}

const pagesIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(docs, folder))
    .filter((name) => /^[^[]+\.md$/.test(name))
    .sort()
    .map((name) => `${folder}/${name.slice(0, -".md".length)}`)

/** The pages of the site, by the four kinds of documentation. */
export const sidebar: Array<DefaultTheme.SidebarItem> = [
  { text: "Tutorial", items: ["tutorials/first-pipeline"].map(page) },
  {
    text: "How-to",
    items: [
      {
        text: "Run pipelines",
        items: [
          "install",
          "begin",
          "plan-a-run",
          "check-a-setup",
          "recover-a-run",
          "schedule",
          "run-workers",
          "be-told",
          "limit-the-cost",
          "dead-letters",
          "audit"
        ].map((name) => page(`how-to/${name}`))
      },
      {
        text: "Load and read",
        items: ["several-sinks", "replay", "query-postgres", "postgres-roles", "dbt", "read-objects"].map((name) =>
          page(`how-to/${name}`)
        )
      },
      {
        text: "Write programs",
        items: ["use-from-typescript", "test-pipelines", "probe-an-api"].map((name) => page(`how-to/${name}`))
      }
    ]
  },
  {
    text: "Reference",
    items: [
      ...[
        "cli",
        "commands",
        "pipeline-files",
        "pipeline-fields",
        "postgres",
        "s3",
        "scraper",
        "scraper-options",
        "glossary"
      ].map((name) => page(`reference/${name}`)),
      {
        text: "API",
        collapsed: true,
        items: apiPages().map(({ path, title }) => ({ text: title, link: `/${path.slice(0, -".md".length)}` }))
      }
    ]
  },
  {
    text: "Explanation",
    items: [
      ...["explanation/architecture", "explanation/guarantees"].map(page),
      { text: "Decisions", collapsed: true, items: pagesIn("decisions").map(page) }
    ]
  }
]
