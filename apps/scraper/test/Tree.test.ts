import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import fc from "fast-check"
import { canonicalOf, linksOf, parseHtml, parseXhtml } from "../src/conversion/HtmlDocument.ts"
import { contentOf } from "../src/conversion/PageContent.ts"

const url = "http://a.example/dir/page"
const xhtml = (body: string, head = "") =>
  `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head>${head}</head><body>${body}</body></html>`
const read = (text: string, contentType = "application/xhtml+xml") => {
  const body = Buffer.from(text)
  return contentOf({ url, contentType, body, scriptsHaveRun: false, formats: ["markdown"], extent: "page" })
}

describe("the base and the canonical URL of a page", () => {
  const base = (text: string) => parseHtml(text, url).base
  it("are the first, wherever they stand", () => {
    assert.strictEqual(base("<base target=_top><base href=/x/><base href=/y/>"), "http://a.example/x/")
    assert.strictEqual(base("<body><p>a</p><div><base href=/x/></div>"), "http://a.example/x/")
    assert.strictEqual(base("<noscript><img src=a></noscript><base href=/x/>"), "http://a.example/x/")
    assert.strictEqual(base("<template><base href=/x/></template><svg><base href=/y/></svg>"), url)
    const canonical = (text: string) => Option.getOrNull(canonicalOf(parseHtml(text, url)))
    assert.strictEqual(
      canonical("<noscript><img></noscript><link rel='nofollow CANONICAL' href=x#y>"),
      "http://a.example/dir/x"
    )
    assert.strictEqual(
      canonical("<link rel=canonical href=' '><link rel=canonical href=/a><link rel=canonical href=/b>"),
      "http://a.example/a"
    )
    assert.strictEqual(canonical("<a rel=canonical href=/a>a</a>"), null)
  })

  it("are not what is no http(s) URL", () => {
    for (const href of ["data:text/html,x", "javascript:1", "mailto:a@b.example", "ftp://b.example/", "http://["]) {
      assert.strictEqual(base(`<base href="${href}"><base href=/no/>`), url, href)
    }
  })

  it("are told by a browser that has run the scripts", () => {
    assert.strictEqual(
      parseHtml("<base href=sub/>", "http://a.example/dir/sub/", true).base,
      "http://a.example/dir/sub/"
    )
  })
})

describe("XHTML", () => {
  it("is parsed as XML where it is sent as XML", () => {
    const { links, markdown } = read(
      xhtml(
        `<p>a<script src="x"/></p><p>b <![CDATA[<c>]]> &nbsp;d&eacute;</p><a id="x"/><div/><p><a href="l?a&amp;b">e</a></p>`,
        "<title/>"
      )
    )
    assert.match(
      (markdown ?? "").replace(/\s+/g, " "),
      /^a b \\<c\\?> +d.* \[e\]\(http:\/\/a\.example\/dir\/l\?a\\?&b\)/
    )
    assert.deepStrictEqual(links, ["http://a.example/dir/l?a&b"])
    assert.strictEqual(read(xhtml("<h1>t</h1>"), "text/xml").markdown, "# t\n")
  })

  it("is HTML where it is not well-formed, and XML where it is none", () => {
    assert.strictEqual(read(xhtml("<p>a<br>b &unknown;")).markdown?.includes("a"), true)
    assert.isTrue(Option.isNone(parseXhtml(xhtml("<p>a<br>b</p>"), url)))
    assert.isTrue(
      Option.isNone(
        parseXhtml("<feed xmlns='http://www.w3.org/2005/Atom'><html xmlns='http://www.w3.org/1999/xhtml'/></feed>", url)
      )
    )
    assert.include(read("<rss><channel/></rss>", "text/xml").markdown ?? "", "```xml")
  })

  it("has the entities that it declares, prefixes, and templates", () => {
    const declared = `<!DOCTYPE html [<!ENTITY own "mine">]><h:html xmlns:h="http://www.w3.org/1999/xhtml"><h:body><h:p>&own;</h:p>
      <h:template><h:a href="/no">n</h:a></h:template><a href="/none">n</a></h:body></h:html>`
    const { links, markdown } = read(declared)
    assert.include(markdown ?? "", "mine")
    assert.notInclude(links, "http://a.example/no")
  })

  it("has the tree of the same page as HTML, whatever it holds", () => {
    const text = fc.constantFrom("a", "b c", "&amp;", "&#233;", "é")
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { depthSize: "small" },
        text,
        fc
          .tuple(fc.constantFrom("div", "section", "blockquote"), fc.array(tie("tree"), { maxLength: 3 }))
          .map(([name, inside]) => `<${name}>${inside.join("")}</${name}>`),
        fc.webPath().map((path) => `<a href="${path.replaceAll("&", "&amp;").replaceAll('"', "")}">l</a>`),
        fc.constant("<br/>")
      )
    }))
    fc.assert(
      fc.property(tree, (body) => {
        const asXml = Option.getOrThrow(parseXhtml(xhtml(body), url))
        assert.deepStrictEqual(linksOf(asXml), linksOf(parseHtml(xhtml(body), url)))
        assert.strictEqual(read(xhtml(body)).markdown, read(xhtml(body), "text/html").markdown)
      }),
      { numRuns: 100 }
    )
  })
})
