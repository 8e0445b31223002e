import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { declaredRefresh, parseRefresh } from "../src/fetching/declaredRefresh.ts"
import { describeInBrowser, render } from "./TestBrowser.ts"
import { crawl, rowsOf, testScraper } from "./TestScraper.ts"
import { page, testSite } from "./TestSite.ts"

const refresh = (content: string) => `<meta http-equiv="Refresh" content="${content}"><p>wait</p>`

describe("the value of a refresh", () => {
  const values: ReadonlyArray<readonly [string, number | undefined, string?]> = [
    ["0;url=/a", 0, "/a"],
    [" 5 ; URL = '/a b' more", 5, "/a b"],
    ['3, url="/a', 3, "/a"],
    ["1 /a", 1, "/a"],
    ["1;/a", 1, "/a"],
    ["1.9;url=/a", 1, "/a"],
    [".5;url=/a", 0, "/a"],
    ["1", 1, ""],
    ["1;", 1, ""],
    ["0;url", 0, "url"],
    ["0;url=", 0, ""],
    ["0x;url=/a", undefined],
    ["-1;url=/a", undefined],
    ["url=/a", undefined],
    ["", undefined]
  ]
  for (const [value, seconds, to] of values) {
    it(value === "" ? "(empty)" : value, () => {
      assert.deepStrictEqual(parseRefresh(value), seconds === undefined ? undefined : { seconds, to: to ?? "" })
    })
  }
})

describe("a page that goes on by itself", () => {
  const declared = (text: string, header?: string) =>
    Effect.map(
      declaredRefresh({ url: "http://a.example/x/", header, body: Buffer.from(text), text: () => text }),
      Option.getOrNull
    )

  it.effect("says so by its header, or by elements that count", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* declared("", "2; url=next"), "http://a.example/x/next")
      assert.strictEqual(yield* declared(refresh("0;url=next")), "http://a.example/x/next")
      assert.strictEqual(yield* declared(`<base href="/y/">${refresh("0;url=next")}`), "http://a.example/y/next")
      assert.strictEqual(yield* declared(`<noscript>${refresh("0;url=next")}</noscript>`), "http://a.example/x/next")
      assert.strictEqual(
        yield* declared(refresh("3;url=a") + refresh("1;url=b") + refresh("1;url=c")),
        "http://a.example/x/c"
      )
      for (const inert of [
        refresh("6;url=next"),
        refresh("0;url=mailto:a@b.example"),
        `<!-- ${refresh("0;url=next")} -->`,
        `<template>${refresh("0;url=next")}</template>`,
        `<script>"${refresh("0;url=next")}"</script>`,
        `<title>${refresh("0;url=next")}</title>`,
        "<meta name=refresh content='0;url=next'> http-equiv refresh"
      ]) {
        assert.strictEqual(yield* declared(inert), null, inert)
      }
    })
  )

  it.live("leads on as a redirect does: scope, circles and bounds included", () =>
    Effect.gen(function* () {
      const other = yield* testSite({ "/": page("elsewhere") })
      const site = yield* testSite({
        "/": page("home", "/moved", "/header", "/out", "/round", "/reload", "/late", "/door"),
        "/moved": refresh("0;url=/target"),
        "/target": page("target"),
        "/header": { headers: { refresh: "1; url=/by-header" }, body: "<p>wait" },
        "/by-header": page("by header"),
        "/out": refresh(`0;url=${other.url("/")}`),
        "/round": refresh("0;url=/round2"),
        "/round2": refresh("0;url=/round"),
        "/reload": refresh("5"),
        "/late": refresh("30;url=/never"),
        "/door": (request, response) => {
          const isIn = (request.headers.cookie ?? "").includes("in=1")
          response.writeHead(200, { "content-type": "text/html", ...(isIn ? {} : { "set-cookie": "in=1" }) })
          response.end(refresh("0") + (isIn ? "<p>inside</p>" : "<p>outside</p>"))
        }
      })
      const job = yield* crawl(yield* testScraper({ maxRedirects: 3 }), { url: site.url("/") })
      assert.deepStrictEqual(rowsOf(job), [
        "/ completed",
        "/target completed",
        "/by-header completed",
        "/out REDIRECT_OUT_OF_SCOPE",
        "/round TOO_MANY_REDIRECTS",
        "/reload completed",
        "/late completed",
        "/door completed"
      ])
      assert.deepStrictEqual(other.asked(), [])
      assert.strictEqual(site.hits("/reload"), 1)
      assert.strictEqual(site.hits("/door"), 2)
      assert.include(JSON.stringify(job.results), "inside")
    })
  )

  it.live("gives the links of its frames", () =>
    Effect.gen(function* () {
      const site = yield* testSite({
        "/": "<frameset cols='50%,*'><frame src=/menu><frame src='/main'><noframes><a href=/no>no</a></noframes></frameset>",
        "/menu": `<iframe src=/embedded></iframe><iframe srcdoc="<a href='/inner'>i</a>" src=/unused></iframe><iframe></iframe>`,
        "/main": page("main"),
        "/embedded": page("embedded"),
        "/inner": page("inner")
      })
      const job = yield* crawl(yield* testScraper(), { url: site.url("/"), depth: 3 })
      assert.deepStrictEqual(rowsOf(job), [
        "/ completed",
        "/menu completed",
        "/main completed",
        "/embedded completed",
        "/inner completed"
      ])
    })
  )
})

describeInBrowser("a rendered page that goes on by itself", () => {
  it.live("is read where it only reloads itself, or starts a download", () =>
    Effect.gen(function* () {
      const site = yield* testSite({
        "/reload": `${refresh("0")}<p>to be read</p>`,
        "/moved": refresh("0;url=/target"),
        "/target": page("the target"),
        "/download": "<p>your download begins</p><script>location.href = '/file.zip'</script>",
        "/file.zip": { headers: { "content-type": "application/zip" }, body: "PK\u0003\u0004" },
        "/attached": "<p>your report</p><script>location.href = '/report.csv'</script>",
        "/report.csv": { headers: { "content-type": "text/csv", "content-disposition": "attachment" }, body: "a,b" }
      })
      const client = yield* testScraper()
      const shown = (path: string) =>
        Effect.map(render(client, site.url(path)), ({ code, markdown }) => code + markdown)
      assert.include(yield* shown("/reload"), "to be read")
      assert.include(yield* shown("/moved"), "the target")
      assert.include(yield* shown("/download"), "your download begins")
      assert.include(yield* shown("/attached"), "your report")
    })
  )
})
