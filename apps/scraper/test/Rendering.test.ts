import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { describeInBrowser, render } from "./TestBrowser.ts"
import { testScraper } from "./TestScraper.ts"
import { testSite } from "./TestSite.ts"

/** A page whose content and link are made by its script. */
const scripted = `<!doctype html><title>t</title><body><noscript>Please enable JavaScript</noscript><div id="app"></div><script>
  document.getElementById("app").innerHTML = "<h1>Made by a script</h1><a href='next?q=1'>next</a>"
</script>`

describeInBrowser("a page rendered by a browser", () => {
  it.live("has what its scripts have made", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/app/": scripted })
      const client = yield* testScraper()
      const page = yield* render(client, site.url("/app/"), { extract_links: true })
      assert.deepInclude(page, { code: "", markdown: `# Made by a script\n\n[next](${site.url("/app/next?q=1")})\n` })
      assert.deepStrictEqual(page.data?.links, [site.url("/app/next?q=1")])
      assert.deepInclude(page.metadata, { render_js: true, http_status: 200, url: site.url("/app/") })
      assert.match(page.html, /^<!DOCTYPE html>/)
      const plain = yield* render(client, site.url("/app/"), { render_js: false })
      assert.strictEqual(plain.markdown, "Please enable JavaScript\n")
      assert.strictEqual(site.hits("/app/"), 2)
    })
  )
})
