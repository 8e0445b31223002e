import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { describeInBrowser, render } from "./TestBrowser.ts"
import { type Client, crawl, rowsOf, testScraper, until } from "./TestScraper.ts"
import { gate, page, redirect, testSite } from "./TestSite.ts"

/** A page whose content and link are made by its script. */
const scripted = (text: string, link: string) => `<!doctype html><title>t</title><body>
<noscript>Please enable JavaScript</noscript><div id="app"></div><script>
  document.getElementById("app").innerHTML = "<h1>${text}</h1><a href='${link}'>next</a>"
</script>`

/** The soak takes all of it. */
const isLong = process.env.SLUICE_LONG_TESTS !== undefined

/** One server for the file: starting a browser takes longer than most of what is asked of it. */
class Shared extends Context.Service<Shared, Client>()("@sluice/scraper/test/Rendering") {
  static readonly layer = Layer.effect(this, testScraper())
}

describeInBrowser("a page rendered by a browser", () => {
  layer(Shared.layer, { excludeTestServices: true })((it) => {
    it.effect("has what its scripts have made", () =>
      Effect.gen(function* () {
        const site = yield* testSite({ "/app/": scripted("Made by a script", "next?q=1"), "/from": redirect("/app/") })
        const client = yield* Shared
        const rendered = yield* render(client, site.url("/from"), {
          extract_links: true,
          headers: { "X-Trace": "t1" }
        })
        assert.deepInclude(rendered, {
          code: "",
          markdown: `# Made by a script\n\n[next](${site.url("/app/next?q=1")})\n`
        })
        assert.deepStrictEqual(rendered.data?.links, [site.url("/app/next?q=1")])
        assert.deepInclude(rendered.metadata, { render_js: true, http_status: 200, url: site.url("/app/") })
        assert.match(rendered.html, /^<!DOCTYPE html>/)
        assert.strictEqual(site.lastHeaders("/app/")?.["x-trace"], "t1")
        const plain = yield* render(client, site.url("/app/"), { render_js: false })
        assert.strictEqual(plain.markdown, "# t\n\nPlease enable JavaScript\n")
        const asked = site.asked().filter((path) => path !== "/favicon.ico")
        assert.deepStrictEqual(asked, ["/from", "/app/", "/app/"])
      })
    )

    it.effect("keeps to the rules of any other page", () =>
      Effect.gen(function* () {
        const site = yield* testSite({
          "/robots.txt": { headers: { "content-type": "text/plain" }, body: "User-agent: *\nDisallow: /private" },
          "/private": page("private"),
          "/lost": { status: 404, body: "<script>document.write('found')</script>" },
          "/image": { headers: { "content-type": "image/png" }, body: "x" },
          "/text": { headers: { "content-type": "text/plain" }, body: "<b>text</b>" },
          "/legacy": {
            headers: { "content-type": "text/html; charset=windows-1251" },
            body: Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2])
          },
          "/file": { headers: { "content-disposition": "attachment" }, body: page("attached") }
        })
        const client = yield* Shared
        assert.strictEqual((yield* render(client, site.url("/private"))).code, "ROBOTS_DISALLOWED")
        assert.strictEqual((yield* render(client, site.url("/lost"))).code, "HTTP_ERROR")
        assert.strictEqual((yield* render(client, site.url("/image"))).code, "UNSUPPORTED_CONTENT_TYPE")
        assert.strictEqual((yield* render(client, site.url("/text"))).markdown, "<b>text</b>")
        assert.strictEqual((yield* render(client, site.url("/legacy"))).markdown, "Привет\n")
        assert.strictEqual((yield* render(client, site.url("/file"))).markdown, "# attached\n")
        assert.strictEqual(site.hits("/private"), 0)
      })
    )

    it.effect("waits for what it was told to, and no longer than it may", () =>
      Effect.gen(function* () {
        const picture = gate("")
        const site = yield* testSite({
          "/picture": picture.route,
          "/": `<img src="/picture"><p id="p">early</p><script>
          addEventListener("load", () => { p.textContent = "loaded" })</script>`,
          "/late": `<script>addEventListener("load", () => requestAnimationFrame(() => {
          document.body.innerHTML = "<article class=late>late</article>" }))</script>`
        })
        const client = yield* Shared
        const early = yield* render(client, site.url("/"))
        assert.include(early.markdown, "early")
        const never = yield* render(client, site.url("/"), { wait_config: { wait_until: "load", wait_timeout: 200 } })
        assert.strictEqual(never.code, "TIMEOUT")
        picture.open()
        const loaded = yield* render(client, site.url("/"), { wait_config: { wait_until: "load" } })
        assert.include(loaded.markdown, "loaded")
        const late = yield* render(client, site.url("/late"), { wait_config: { wait_for: "article.late" } })
        assert.strictEqual(late.markdown, "late\n")
        // Longer than the server allows: its own limit holds.
        const missing = { wait_for: "#missing", wait_timeout: 3_600_000 }
        const hasty = yield* testScraper({ renderTimeoutMs: 2000 })
        // On a busy machine not even the page itself is there in time.
        const short = yield* render(hasty, site.url("/late"), { wait_config: missing })
        assert.include(["ELEMENT_NOT_FOUND", "TIMEOUT"], short.code)
        const invalid = yield* render(client, site.url("/late"), { wait_config: { wait_for: "p[" } })
        assert.strictEqual(invalid.code, "INVALID_SELECTOR")
        const unknown = yield* render(client, site.url("/late"), { wait_config: { wait_until: "soon" } })
        assert.strictEqual(unknown.code, "VALIDATION_ERROR")
      })
    )

    if (isLong)
      it.effect("leads to where its scripts go, as a redirect would", () =>
        Effect.gen(function* () {
          const site = yield* testSite({
            "/assign": `<script>location.href = "/there"</script>`,
            "/refresh": `<meta http-equiv=refresh content="0;url=/there">`,
            "/there": scripted("there", "x"),
            "/post": `<form method=post action=/there></form><script>document.forms[0].submit()</script>`,
            "/blank": `<script>location.href = "about:blank"</script>`,
            "/push": `<script>history.pushState({}, "", "/deep/er"); document.write("<a href=x>x</a>")</script>`,
            "/challenge": (request, response) =>
              response
                .writeHead(200, { "content-type": "text/html", "set-cookie": "seen=1" })
                .end(
                  request.headers.cookie === "seen=1; passed=2"
                    ? page("passed")
                    : `<script>document.cookie = "passed=2"; location.reload()</script>`
                )
          })
          const client = yield* Shared
          for (const path of ["/assign", "/refresh"]) {
            const end = yield* render(client, site.url(path))
            assert.include(end.markdown, "# there", path)
            assert.strictEqual(end.metadata?.url, site.url("/there"), path)
          }
          assert.strictEqual((yield* render(client, site.url("/post"))).code, "INVALID_REDIRECT")
          assert.strictEqual((yield* render(client, site.url("/blank"))).code, "INVALID_REDIRECT")
          assert.strictEqual((yield* render(client, site.url("/challenge"))).markdown, "# passed\n")
          const pushed = yield* render(client, site.url("/push"), { extract_links: true })
          assert.deepStrictEqual(pushed.data?.links, [site.url("/deep/x")])
          assert.strictEqual(pushed.metadata?.url, site.url("/push"))
        })
      )

    it.effect("is followed by a crawl, within its scope, and stands in a batch", () =>
      Effect.gen(function* () {
        const other = yield* testSite({ "/": page("other") })
        const site = yield* testSite({
          "/": scripted("home", "/a"),
          "/a": scripted("a", "/b"),
          "/b": `<script>location.href = "${other.url("/")}"</script>`
        })
        const client = yield* Shared
        const job = yield* crawl(client, { url: site.url("/"), depth: 3, render_js: true })
        assert.deepStrictEqual(rowsOf(job), ["/ completed", "/a completed", "/b REDIRECT_OUT_OF_SCOPE"])
        assert.strictEqual(job.crawl_config?.render_js, true)
        assert.strictEqual(other.asked().length, 0)
        const { job_id } = yield* client.batch.createBatch({
          payload: { urls: [site.url("/"), site.url("/b")], render_js: true }
        })
        const batch = yield* until(
          client.batch.getBatch({ params: { job_id }, query: {} }),
          ({ pending_urls }) => pending_urls === 0
        )
        assert.deepStrictEqual(
          batch.results.map(({ data }) => data?.markdown),
          [`# home\n\n[next](${site.url("/a")})\n`, "# other\n"]
        )
      })
    )

    it.effect("finds nothing that another page has left", () =>
      Effect.gen(function* () {
        const site = yield* testSite({
          "/": `<p id=p></p><script>
          p.textContent = "[" + document.cookie + "|" + (localStorage.seen ?? "") + "]"
          document.cookie = "seen=1"; localStorage.seen = "1"</script>`
        })
        const client = yield* testScraper({ browserPages: 1 })
        for (let turn = 0; turn < 2; turn++)
          assert.strictEqual((yield* render(client, site.url("/"))).markdown, "[|]\n")
      })
    )
  })
})
