/**
 * Usage: pnpm docs:check, which builds the site first. Opens every page of the built site in a browser, follows every internal
 * link to its page and heading, searches, and writes screenshots to `reports/site`. Exits with 1 if anything is wrong.
 */
import { mkdirSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { Option } from "effect"
import { type BrowserContext, chromium, type Page } from "playwright-core"
import { findChromium } from "../../apps/scraper/src/rendering/chromium.ts"
import { repositoryRoot } from "../house/SourceTree.ts"
import { serveSite } from "./SiteServer.ts"

const site = join(repositoryRoot, "docs/.vitepress/dist")
const reports = join(repositoryRoot, "reports/site")

/** Pages that are opened at once. */
const openPages = 4

/** What is searched for, and the page that has to be found. */
const searches = [
  { words: "fencing token", finds: "reference/glossary.html" },
  { words: "dead letters again", finds: "how-to/dead-letters.html" },
  { words: "Pipeline.replay", finds: "reference/api/core.html" }
]

const pictures: ReadonlyArray<{
  readonly path: string
  readonly name: string
  readonly width?: number
  readonly dark?: boolean
}> = [
  { path: "index.html", name: "landing" },
  { path: "index.html", name: "landing-dark", dark: true },
  { path: "tutorials/first-pipeline.html", name: "tutorial" },
  { path: "tutorials/first-pipeline.html", name: "tutorial-phone", width: 390 },
  { path: "how-to/query-postgres.html", name: "how-to", width: 1600 },
  { path: "reference/commands.html", name: "reference-commands" },
  { path: "reference/pipeline-fields.html", name: "reference-fields" },
  { path: "reference/api/core.html", name: "reference-api" },
  { path: "explanation/architecture.html", name: "explanation" }
]

const problems: Array<string> = []
const say = (line: string) => process.stdout.write(`${line}\n`)

interface VisitedPage {
  readonly url: string
  readonly links: ReadonlyArray<string>
  readonly ids: ReadonlySet<string>
}

const visit = async (page: Page, url: string): Promise<VisitedPage> => {
  const response = await page.goto(url, { waitUntil: "load" })
  if (response?.status() !== 200) problems.push(`${url} is answered with ${response?.status()}`)
  await page.locator("#app[data-v-app]").or(page.locator("#app .Layout")).first().waitFor()
  const links = await page
    .locator("a[href]")
    .evaluateAll((found) => found.map((link) => (link as HTMLAnchorElement).href))
  const ids = await page.locator("[id]").evaluateAll((found) => found.map(({ id }) => id))
  return { url, links, ids: new Set(ids) }
}

/** Opens all pages, some at once, and collects what they link to. */
const visitAll = async (context: BrowserContext, urls: ReadonlyArray<string>) => {
  const visited = new Map<string, VisitedPage>()
  const waiting = [...urls]
  const work = async () => {
    const page = await context.newPage()
    page.on("pageerror", (error) => problems.push(`${page.url()}: ${error.message}`))
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(`${page.url()}: ${message.text()}`)
    })
    for (let url = waiting.shift(); url !== undefined; url = waiting.shift()) visited.set(url, await visit(page, url))
    await page.close()
  }
  await Promise.all(Array.from({ length: openPages }, work))
  return visited
}

/** Compares every internal link with the pages and their headings; files that are no pages are asked for. */
const checkLinks = async (root: string, visited: ReadonlyMap<string, VisitedPage>) => {
  const links = new Set<string>()
  for (const { links: found, url } of visited.values()) {
    for (const link of found.filter((each) => each.startsWith("http://127.0.0.1"))) {
      const [target = "", hash = ""] = link.split("#")
      const page = visited.get(target === root ? `${root}index.html` : target)
      links.add(link)
      if (page === undefined) {
        const { ok } = await fetch(target)
        if (!ok || target.endsWith(".html")) problems.push(`${url} links to ${target}, which is not there`)
      } else if (hash !== "" && !page.ids.has(decodeURIComponent(hash))) {
        problems.push(`${url} links to ${link}, which has no such heading`)
      }
    }
  }
  return links.size
}

const search = async (page: Page, root: string) => {
  for (const { finds, words } of searches) {
    await page.goto(`${root}index.html`, { waitUntil: "load" })
    await page.locator("button.DocSearch-Button, .VPNavBarSearch button").first().click()
    await page.locator("input.search-input, #localsearch-input").first().fill(words)
    const results = page.locator(".VPLocalSearchBox .results a.result")
    await results.first().waitFor()
    const found = await results.evaluateAll((all) => all.map((each) => (each as HTMLAnchorElement).href))
    if (!found.some((each) => each.includes(finds))) problems.push(`a search for "${words}" does not find ${finds}`)
    await page.screenshot({ path: join(reports, `search-${words.replaceAll(/\W+/g, "-")}.png`) })
    await results.first().click()
    await page.waitForURL((url) => !url.pathname.endsWith("index.html"))
  }
}

const executable = Option.getOrUndefined(findChromium(process.env.PATH ?? ""))
if (executable === undefined) throw new Error("no Chromium found: install one, or put it on the PATH")
mkdirSync(reports, { recursive: true })
const { close, url: root } = await serveSite(site)
const browser = await chromium.launch({ executablePath: executable, chromiumSandbox: process.getuid?.() !== 0 })
try {
  const paths = readdirSync(site, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"))
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  const visited = await visitAll(
    context,
    paths.filter((path) => path !== "404.html").map((path) => `${root}${path}`)
  )
  const links = await checkLinks(root, visited)
  await search(await context.newPage(), root)
  for (const { dark = false, name, path, width = 1280 } of pictures) {
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme: dark ? "dark" : "light" })
    await page.goto(`${root}${path}`, { waitUntil: "networkidle" })
    await page.screenshot({ path: join(reports, `${name}.png`) })
    await page.close()
  }
  say(`${visited.size} pages, ${links} internal links, ${searches.length} searches; screenshots in reports/site`)
} finally {
  await browser.close()
  close()
}
for (const problem of problems) say(problem)
process.exitCode = problems.length === 0 ? 0 : 1
