import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { linksOf, parseHtml } from "../src/conversion/HtmlDocument.ts"
import { markdownOf } from "../src/conversion/Markdown.ts"
import { describeInBrowser, render } from "./TestBrowser.ts"
import { testScraper } from "./TestScraper.ts"
import { page, testSite } from "./TestSite.ts"

const shadow = (inside: string, mode = "open") => `<template shadowrootmode=${mode}>${inside}</template>`

describe("declared shadow roots", () => {
  const shown = (html: string) => {
    const document = parseHtml(html, "http://a.example/")
    return { text: markdownOf(document, "page").replace(/\s+/g, " ").trim(), links: linksOf(document) }
  }

  it("are shown in the place of their hosts' children, slots filled", () => {
    const card = `<my-card>${shadow("<p>before</p><slot name=title>no title</slot><p>then</p><slot></slot><slot>again</slot>")}
      <h2 slot=title>Title</h2><p>body <a href=/in>in</a></p><p slot=nowhere>lost <a href=/lost>l</a></p></my-card>`
    const { links, text } = shown(card)
    assert.strictEqual(text, "before ## Title then body [in](http://a.example/in) again")
    assert.deepStrictEqual(links, ["http://a.example/in"])
  })

  it("stand within each other", () => {
    const inner = `<in-ner>${shadow("<b>one </b><slot></slot><b> two</b>")}<slot></slot></in-ner>`
    assert.strictEqual(shown(`<out-er>${shadow(`<p>${inner}</p>`)}deep</out-er>`).text, "**one** deep **two**")
  })

  it("are templates where an element cannot have one", () => {
    assert.strictEqual(shown(`<p>a</p><ul>${shadow("<p>b</p>")}</ul><div>${shadow("c", "none")}d</div>`).text, "a d")
  })
})

describeInBrowser("rendered pages that are put together", () => {
  it.live("bring their shadow roots, and their frames of the same origin", () =>
    Effect.gen(function* () {
      const other = yield* testSite({ "/": page("a stranger's") })
      const site = yield* testSite({
        "/": `<div id=host><a slot=s href=/slotted>slotted</a></div><script>
            host.attachShadow({ mode: "open" }).innerHTML = "<p>shadow <a href=/shadow>link</a></p><slot name=s></slot><slot>empty</slot>"
          </script><iframe src=/frames/inner></iframe><iframe src=${other.url("/")}></iframe>`,
        "/frames/inner": "<p>framed <a href=page>link</a></p>",
        "/set":
          "<frameset cols='50%,*'><frame src=/frames/inner><frameset rows='*'><frame src=/frames/two></frameset></frameset>",
        "/frames/two": "<p>second</p>"
      })
      const client = yield* testScraper()
      const shown = (path: string) =>
        render(client, site.url(path), { extract_links: true, wait_config: { wait_until: "load" } })
      const { data, html, markdown } = yield* shown("/")
      for (const text of ["shadow", "slotted", "empty", "framed"]) assert.include(markdown, text)
      assert.notInclude(html, "stranger")
      const links = data?.links ?? []
      for (const path of ["/shadow", "/slotted", "/frames/page"]) assert.include(links, site.url(path))
      const frames = yield* shown("/set")
      assert.include(frames.markdown, "framed")
      assert.include(frames.markdown, "second")
    })
  )
})
