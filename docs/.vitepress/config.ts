import { cpSync } from "node:fs"
import { join } from "node:path"
import { slug } from "github-slugger"
import { defineConfig } from "vitepress"
import { apiPage } from "../../.ci/docs/apiReference.ts"
import { sidebar } from "./sidebar.ts"

const docs = join(import.meta.dirname, "..")

/** Where the repository is hosted, as a workflow of GitHub tells; a site built elsewhere links to no host. */
const { GITHUB_REPOSITORY, GITHUB_SERVER_URL } = process.env
const isHosted = GITHUB_REPOSITORY !== undefined && GITHUB_SERVER_URL !== undefined

/** A gate in a stream. */
const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#3451b2"/><path d="M4 3v6M8 3v6M12 3v6M3 12q1.7-2 3.3 0t3.4 0 3.3 0" fill="none" stroke="#fff" stroke-width="1.5" stroke-linecap="round"/></svg>`

export default defineConfig({
  title: "Sluice",
  description: "Loads web crawls into Postgres or S3, and never pays for the same crawl twice.",
  lang: "en",
  head: [
    ["link", { rel: "icon", href: `data:image/svg+xml,${encodeURIComponent(icon)}` }],
    // On wide screens, lines of code and tables get the room that is there.
    ["style", {}, ".VPDoc.has-aside .content-container.content-container{max-width:860px}"]
  ],
  // Pages refer to each other relatively, so the site works below any path of any host.
  base: "./",
  lastUpdated: false,
  markdown: {
    // Headings have the anchors that GitHub gives them: a link works in both places.
    anchor: { slugify: slug },
    languageAlias: { text: "txt" },
    config: ({ renderer }) => {
      const inlineCode = renderer.rules.code_inline
      // Pages are plain Markdown: braces in code are text, not expressions of the site.
      renderer.rules.code_inline = (...args) => inlineCode?.(...args).replace("<code", "<code v-pre") ?? ""
    }
  },
  themeConfig: {
    nav: [
      { text: "Tutorial", link: "/tutorials/first-pipeline", activeMatch: "/tutorials/" },
      { text: "How-to", link: "/how-to/recover-a-run", activeMatch: "/how-to/" },
      { text: "Reference", link: "/reference/cli", activeMatch: "/reference/" },
      { text: "Explanation", link: "/explanation/architecture", activeMatch: "/(explanation|decisions)/" }
    ],
    sidebar,
    outline: { level: [2, 3] },
    search: {
      provider: "local",
      options: {
        detailedView: true,
        miniSearch: {
          searchOptions: {
            combineWith: "AND",
            // Guides before signatures, where both have the words.
            boostDocument: (id) => (id.includes("reference/api/") ? 0.2 : 1)
          }
        },
        // Pages of the API have no file to index: they are made while the site is built.
        _render: (source, env, markdown) => markdown.renderAsync(apiPage(env.relativePath)?.text ?? source, env)
      }
    },
    editLink: isHosted
      ? { pattern: `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/edit/main/docs/:path`, text: "Edit this page" }
      : {
          pattern: ({ filePath }) => `${"../".repeat(filePath.split("/").length - 1)}source/${filePath}.txt`,
          text: "Markdown source of this page"
        }
  },
  buildEnd: ({ outDir, pages }) => {
    for (const page of pages.filter((each) => apiPage(each) === undefined)) {
      cpSync(join(docs, page), join(outDir, "source", `${page}.txt`))
    }
  }
})
