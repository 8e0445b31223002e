import { assert, describe, it } from "@effect/vitest"
import { linksOf, parseHtml } from "../src/conversion/HtmlDocument.ts"
import { markdownOf } from "../src/conversion/Markdown.ts"
import { contentOf } from "../src/conversion/PageContent.ts"

const markdown = (html: string) => markdownOf(parseHtml(html, "http://site.example/dir/page.html"))

describe("Markdown", () => {
  for (const [what, html, expected] of [
    ["headings", "<h1>One</h1><h2>Two <em>x</em></h2><h3>Three</h3>", "# One\n\n## Two *x*\n\n### Three\n"],
    ["paragraphs and breaks", "<p>a <strong>b</strong>\n c</p><p>d<br>e</p>", "a **b** c\n\nd\\\ne\n"],
    [
      "tables",
      "<table><thead><tr><th>Name</th><th>Size</th></tr></thead><tbody><tr><td>a|b</td><td><code>x</code></td></tr><tr><td>c</td><td>2</td></tr></tbody></table>",
      "| Name | Size |\n| - | - |\n| a\\|b | `x` |\n| c | 2 |\n"
    ],
    [
      "code",
      '<p>Use <code>a_b*c</code>.</p><pre><code class="language-sql">SELECT *\n  FROM t;\n</code></pre>',
      "Use `a_b*c`.\n\n```sql\nSELECT *\n  FROM t;\n```\n"
    ],
    ["code without a language", "<pre>  x &lt; y\n</pre>", "```\n  x < y\n```\n"],
    ["lists", "<ul><li>a<ol><li>b</li></ol></li><li>c</li></ul>", "- a\n  1. b\n- c\n"],
    [
      "tasks and numbers",
      '<ul><li><input type="checkbox" checked>a</li></ul><ol start="3"><li>b</li></ol>',
      "- [x] a\n\n3. b\n"
    ],
    [
      "spans",
      "<table><tr><th colspan=2>a</th></tr><tr><td>b</td><td>c</td></tr></table>",
      "| a | |\n| - | - |\n| b | c |\n"
    ],
    ["words apart when what stands between is blank", "<p>a<b> </b>b<i></i>c</p>", "a bc\n"],
    ["no thousands of blanks", `<p>a</p>${"<i> </i><a href=x></a>".repeat(5000)}`, "a\n"],
    ["no span that has no end", '<table><tr><th colspan="999999999">a</th></tr></table>', "| a |\n| - |\n"],
    ["quotes", "<blockquote><p>a</p></blockquote>", "> a\n"],
    [
      "links",
      '<p><a href="../x?a=1#f" title="T">x</a> <a href="#here">y</a> <a href="mailto:a@b.example">m</a></p>',
      '[x](http://site.example/x?a=1#f "T") [y](http://site.example/dir/page.html#here) [m](mailto:a@b.example)\n'
    ],
    ["anchors and scripts as nothing", '<p><a name="top"></a>a <a href="javascript:x()">b</a></p>', "a b\n"],
    [
      "images",
      '<p><img src="i.png" alt="A"> <img src="data:image/png;base64,AA" alt="B"></p>',
      "![A](http://site.example/dir/i.png) B\n"
    ],
    [
      "only what is shown",
      "<!-- c --><script>x</script><style>y</style><template>z</template><noscript>n</noscript>",
      "n\n"
    ],
    ["text that looks like Markdown", "<p>1. a *b* [c] # d</p>", "1\\. a \\*b\\* \\[c] # d\n"]
  ] as const) {
    it(`keeps ${what}`, () => assert.strictEqual(markdown(html), expected))
  }
})

describe("links", () => {
  it("are absolute, in order, each once, without fragments", () => {
    const html = `<a href="b">1</a><map><area href="/c"></map><a href=" a?x=1#y ">2</a><a href="b#z">3</a>
      <a href="mailto:x@y.example">4</a><a>5</a><a href="http://[bad">6</a><link href="/style.css"><a href="//o.example">7</a>`
    assert.deepStrictEqual(linksOf(parseHtml(html, "http://site.example/dir/page.html")), [
      "http://site.example/dir/b",
      "http://site.example/c",
      "http://site.example/dir/a?x=1",
      "http://o.example/"
    ])
  })

  it("follow the base of the document", () => {
    const document = parseHtml(
      '<head><base href="/other/"><base href="/no/"></head><a href="x">x</a>',
      "http://s.example/d/"
    )
    assert.deepStrictEqual(linksOf(document), ["http://s.example/other/x"])
    assert.strictEqual(markdownOf(document), "[x](http://s.example/other/x)\n")
  })

  it("are those of the whole document, however deep", () => {
    const content = contentOf({
      url: "http://s.example/",
      mediaType: "text/html",
      contentType: "text/html",
      body: Buffer.from(`${"<div>".repeat(5000)}<a href="/x">x</a>`),
      scriptsHaveRun: false,
      formats: ["markdown"]
    })
    assert.deepStrictEqual(content, {
      markdown: "[x](http://s.example/x)\n",
      html: null,
      links: ["http://s.example/x"]
    })
  })
})
