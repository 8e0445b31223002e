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
    [
      "rows under a header of their own",
      "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>",
      "| | |\n| - | - |\n| a | b |\n| c | d |\n"
    ],
    [
      "lines, lists and code within cells",
      "<table><tr><th>a</th><th>b</th></tr><tr><td>x<br>y</td><td><ul><li>1</li><li>2</li></ul><pre>p|q\nr</pre></td></tr></table>",
      "| a | b |\n| - | - |\n| x<br>y | 1<br>2<br>`p\\|q`<br>`r` |\n"
    ],
    [
      "what stands in tables that are there for the layout",
      "<table><tr><td><h2>a</h2></td><td><table><tr><th>k</th><th>v</th></tr><tr><td>1</td><td>2</td></tr></table></td></tr></table>",
      "## a\n\n| k | v |\n| - | - |\n| 1 | 2 |\n"
    ],
    [
      "alignment",
      '<table><tr><th align="right">a</th><th style="text-align: center">b</th></tr><tr><td>1</td><td>2</td></tr></table>',
      "| a | b |\n| -: | :-: |\n| 1 | 2 |\n"
    ],
    [
      "no row longer than it is",
      `<table><tr>${"<th>a".repeat(3)}</tr><tr><td>b</td></tr></table>`,
      "| a | a | a |\n| - | - | - |\n| b |\n"
    ],
    [
      "code without the numbers of its lines",
      '<div class="highlight-c"><table class="highlighttable"><tr><td class="linenos"><pre>1\n2</pre></td><td class="code"><div class="highlight"><pre>a\nb</pre></div></td></tr></table></div>',
      "```c\na\nb\n```\n"
    ],
    [
      "the language of code wherever it is told",
      '<div class="highlight-source-js"><pre>a</pre></div><pre class="brush: sql">b</pre><pre><code class="hljs yaml">c</code></pre><div data-lang="go"><pre>d</pre></div>',
      "```js\na\n```\n\n```sql\nb\n```\n\n```yaml\nc\n```\n\n```go\nd\n```\n"
    ],
    ["blanks outside of marks", "<p>a<b> b </b>c <i>d</i><i>e</i></p>", "a **b** c *de*\n"],
    [
      "blocks in links and in emphasis",
      '<a href="/x"><h3>a</h3><p>b</p></a><b><p>c</p><p>d</p></b>',
      "### [a](http://site.example/x)\n\n[b](http://site.example/x)\n\n**c**\n\n**d**\n"
    ],
    ["paragraphs that are parted by line breaks", "<div>a<br><br>b<br>c</div>", "a\n\nb\\\nc\n"],
    [
      "lists beside items, and items beside lists",
      "<ul><li>a</li><ul><li>b</li></ul></ul><li>c</li><li>d</li>",
      "- a\n  - b\n\n* c\n* d\n"
    ],
    [
      "terms and summaries",
      "<dl><dt>a</dt><dd>b</dd></dl><details><summary>c</summary>d</details>",
      "**a**\n\nb\n\n**c**\n\nd\n"
    ],
    ["what is above and below the line", "<p>H<sub>2</sub>O, x<sup>2</sup></p>", "H<sub>2</sub>O, x<sup>2</sup>\n"],
    [
      "formulas",
      "<p><math><mi>x</mi><annotation encoding='application/x-tex'>\\frac{a_1}{b}</annotation></math></p>",
      "$\\frac{a_1}{b}$\n"
    ],
    ["headings without their own address", '<h2>a<a class="headerlink" href="#a">¶</a></h2>', "## a\n"],
    [
      "images that scripts would load",
      '<img src="data:image/gif;base64,AA" data-src="i.png" alt="A"><img src="t.gif" width="1" height="1">',
      "![A](http://site.example/dir/i.png)\n"
    ],
    [
      "frames by their title",
      '<iframe src="/v" title="A film"></iframe><iframe src="/ad"></iframe>',
      "[A film](http://site.example/v)\n"
    ],
    [
      "nothing hidden",
      '<p hidden>a</p><p style="color:red; display : none">b</p><dialog>c</dialog><p hidden="until-found">d</p><select><option>e</select>',
      "d\n"
    ],
    [
      "code beside code as two",
      "<p><code>a</code><code>b</code> <kbd>c</kbd>+<kbd>d</kbd></p><pre>e</pre><pre>f</pre>",
      "`a`<!---->`b` `c`+`d`\n\n```\ne\n```\n\n```\nf\n```\n"
    ],
    [
      "lines of code, whatever makes them",
      '<pre>a<div>b</div>c<br>d<span style="display: block">e</span><p>f</p>g</pre>',
      "```\na\nb\nc\nd\ne\nf\ng\n```\n"
    ],
    [
      "lines of code that style sheets make",
      '<pre><code>a</code><code>b</code></pre><pre><span class="line">c</span><span class="line">d</span></pre>',
      "```\na\nb\n```\n\n```\nc\nd\n```\n"
    ],
    [
      "a line of code as one, and the breaks that are there",
      '<pre><code>a</code> <code>b</code></pre><pre><span class="line">c</span>\n<span class="line">d</span></pre>',
      "```\na b\n```\n\n```\nc\nd\n```\n"
    ],
    [
      "headings and rules in cells",
      "<table><tr><th>a<th>b<tr><td><h3>x</h3>y<td>1<hr>2</table>",
      "| a | b |\n| - | - |\n| <h3>x</h3><br>y | 1<br><hr>2 |\n"
    ],
    [
      "rows where a browser shows them",
      "<table><tfoot><tr><td>e<td>f</tfoot><thead><tr><th>a<th>b</thead><tbody><tr><td>c<td>d</table>",
      "| a | b |\n| - | - |\n| c | d |\n| e | f |\n"
    ],
    [
      "the alignment that columns, rows or cells have",
      '<table><col><col align="center"><tr><th colspan="1">a<th>b<th class="text-right">c<tr><td style="text-align:right">1<td>2<td>3</table>',
      "| a | b | c |\n| -: | :-: | -: |\n| 1 | 2 | 3 |\n"
    ],
    [
      "code in cells, with its blanks and pipes",
      "<table><tr><th>a<th>b<tr><td><pre>x\n  y</pre><td><code>a\\|b</code></table>",
      "| a | b |\n| - | - |\n| `x`<br>`  y` | <code>a\\\\\\|b</code> |\n"
    ],
    [
      "numbers of items that jump, fall or begin elsewhere",
      '<ol start="3"><li>a<li value="7">b<li>c</ol><p>x</p><ol reversed><li>d<li>e</ol><p>y</p><ol start="-1"><li>f<li>g</ol>',
      "3. a\n\n7) b\n8) c\n\nx\n\n2. d\n\n1) e\n\ny\n\n- -1. f\n\n0. g\n"
    ],
    [
      "headings without signs that lead to them, whatever their class",
      `<section id="a"><h2>A <a href="#a" title="here">🔗</a></h2></section><div><h3 id="b">B</h3><a href="#b"><svg></svg></a></div>
       <h2 id="c%20d"><a href="/dir/page.html#c%20d"><span>Permalink</span></a>C</h2><dl><dt id="e">E<a href="#e">§</a></dt></dl>`,
      "## A\n\n### B\n\n## C\n\n**E**\n"
    ],
    [
      "links in headings that say something or lead elsewhere, whatever their class",
      '<h2 id="a"><a class="anchor" href="#a">A</a> <a class="headerlink" href="#n">†</a> <a href="#b">#</a></h2><p id="b">↩ <a href="#a">↩</a></p>',
      "## [A](http://site.example/dir/page.html#a) [†](http://site.example/dir/page.html#n) [#](http://site.example/dir/page.html#b)\n\n↩ [↩](http://site.example/dir/page.html#a)\n"
    ],
    ["the title where there is no heading", "<title> A  title </title><p>x</p>", "# A title\n\nx\n"],
    ["no title beside a heading, or of nothing", "<title>A title</title><h2>x</h2>", "## x\n"],
    [
      "sources that scripts would put in the place of a stand-in",
      `<img src="/i/placeholder.gif" data-lazy="a.png"><img class="lazyload" src="t.jpg" data-srcset="b,1.png 1x, c.png 2x">
       <picture><source data-srcset="https://cdn.example/w_1,h_2/d.png 640w, e.png 1280w"><img src="data:,"></picture><img srcset="f.png, g.png 2x">`,
      "![](http://site.example/dir/a.png)![](http://site.example/dir/b,1.png) ![](http://site.example/dir/e.png)![](http://site.example/dir/f.png)\n"
    ],
    [
      "a lazy image once, if it is there again for want of scripts",
      '<img src="data:," data-src="a.png"><noscript><img src="a.png"></noscript>',
      "![](http://site.example/dir/a.png)\n"
    ],
    [
      "an even table with headings as a table",
      "<table><tr><td><h3>A</h3><td><h3>B</h3><tr><td>1<td>2</table>",
      "| | |\n| - | - |\n| <h3>A</h3> | <h3>B</h3> |\n| 1 | 2 |\n"
    ],
    [
      "the source that an image has, and switches as no address",
      '<img src="a.png" data-src="b.png"><img src="spacer.gif" data-lazy="true" alt="S"><img src="blank-cheque-story.png" data-image="x">',
      "![](http://site.example/dir/a.png)![S](http://site.example/dir/spacer.gif)![](http://site.example/dir/blank-cheque-story.png)\n"
    ],
    [
      "formulas of MathJax 2, before and after it ran",
      `<p><span class="MathJax_Preview">preview</span><span class="MathJax"><nobr>x2</nobr></span><script type="math/tex">x^2</script> and
       <script type="math/mml"><math><msqrt><mi>y</mi></msqrt></math></script><script type="math/tex; mode=display">z</script></p>`,
      "$x^2$ and $\\sqrt{y}$\n\n$$z$$\n"
    ],
    [
      "formulas of MathJax 3",
      `<p><mjx-container display="true"><mjx-math><mjx-mi>glyph</mjx-mi></mjx-math><mjx-assistive-mml><math display="block"><mfrac><mi>a</mi><mi>b</mi></mfrac></math></mjx-assistive-mml></mjx-container>
       <mjx-container><svg data-latex="q_1"></svg></mjx-container></p>`,
      "$$\\frac{a}{b}$$\n\n$q_1$\n"
    ],
    [
      "formulas by alttext, then annotation, then structure",
      `<p><math alttext="\\alpha_1"><mi>x</mi><annotation encoding="application/x-tex">no</annotation></math> <math alttext="a half of it"><mfrac><mn>1</mn><mn>2</mn></mfrac></math>
       <math><munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover><msub><mi>x</mi><mi>i</mi></msub></math></p>`,
      "$\\alpha_1$ $\\frac{1}{2}$ $\\sum_{i = 1}^{n} x_{i}$\n"
    ],
    [
      "pipes of formulas in cells",
      '<table><tr><th>a<th>b<tr><td><math alttext="|x|+\\|y\\|"></math><td>1</table>',
      "| a | b |\n| - | - |\n| $\\|x\\|+\\Vert y\\Vert$ | 1 |\n"
    ],
    ["text that looks like Markdown", "<p>1. a *b* [c] # d</p>", "1\\. a \\*b* [c] # d\n"]
  ] as const) {
    it(`keeps ${what}`, () => assert.strictEqual(markdown(html), expected))
  }
})

describe("the main content", () => {
  const main = (html: string) => markdownOf(parseHtml(html, "http://site.example/"), "main")

  it("is what the page says it is", () => {
    const beside = '<header>h</header><nav>n</nav><div class="sidebar">s</div><footer>f</footer>'
    assert.strictEqual(main(`${beside}<main><h1>a</h1><p>b</p><div class="share-buttons">c</div></main>`), "# a\n\nb\n")
    assert.strictEqual(main(`${beside}<article><header><h1>a</h1></header>b</article>`), "# a\n\nb\n")
  })

  it("is all that is not said to be something else, where the page does not say", () => {
    assert.strictEqual(main('<div id="cookie-banner">c</div><p>a</p><div class="x">b</div>'), "a\n\nb\n")
    assert.strictEqual(
      main("<article>short</article><p>The text of the page is not in what it calls an article.</p>"),
      "short\n\nThe text of the page is not in what it calls an article.\n"
    )
  })
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
      contentType: "text/html",
      body: Buffer.from(`${"<div>".repeat(5000)}<a href="/x">x</a>`),
      scriptsHaveRun: false,
      formats: ["markdown"],
      extent: "page"
    })
    assert.deepStrictEqual(content, {
      markdown: "[x](http://s.example/x)\n",
      html: null,
      links: ["http://s.example/x"],
      canonical: null
    })
  })
})
