/** A page that is made when it is needed, because of its size. */
export interface HugePage {
  readonly name: string
  readonly html: string
}

const repeated = (count: number, part: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => part(i)).join("")

/** Pages that are large, and pages that are made to be slow. */
export const hugePages = (): ReadonlyArray<HugePage> => [
  {
    name: "prose of 10 MB",
    html: repeated(
      20_000,
      (i) =>
        `<h2>Part ${i}</h2><p>${`Some <b>words</b> of <a href="/p/${i}">part ${i}</a>, and more of them. `.repeat(7)}</p>\n`
    )
  },
  {
    name: "table of 100,000 rows",
    html: `<table><tr><th>n</th><th>name</th><th>value</th></tr>${repeated(100_000, (i) => `<tr><td>${i}</td><td>name ${i}</td><td>${i * 7}</td></tr>`)}</table>`
  },
  { name: "list of 100,000 items", html: `<ul>${repeated(100_000, (i) => `<li>item <code>${i}</code></li>`)}</ul>` },
  {
    name: "code of 5 MB",
    html: `<pre><code class="language-c">${"int main(void) { return 0; } /* * _ ` */\n".repeat(125_000)}</code></pre>`
  },
  { name: "10,000 divs deep", html: `${"<div>".repeat(10_000)}<p>deep</p>` },
  { name: "10,000 lists deep", html: `${"<ul><li>x".repeat(10_000)}` },
  { name: "10,000 quotes deep", html: `${"<blockquote>x".repeat(10_000)}` },
  { name: "10,000 tables deep", html: `${"<table><tr><td>x".repeat(10_000)}` },
  { name: "10,000 spans deep", html: `<p>${"<span>x".repeat(10_000)}` },
  { name: "10,000 emphases unclosed", html: `<p>${"<b><i>x".repeat(5000)}` },
  { name: "one row of 100,000 cells", html: `<table><tr>${"<td>x".repeat(100_000)}</tr><tr><td>y</tr></table>` },
  {
    name: "one long row, many short ones",
    html: `<table><tr>${"<td>x".repeat(5000)}</tr>${"<tr><td>y</td></tr>".repeat(50_000)}</table>`
  },
  {
    name: "spans of 1000 by 1000",
    html: `<table>${'<tr><td colspan="1000" rowspan="65534">x</td></tr>'.repeat(1000)}</table>`
  },
  { name: "1 MB of asterisks", html: `<p>${"*_`[".repeat(250_000)}</p>` },
  { name: "100,000 empty elements", html: `<p>a</p>${"<i></i><b> </b><a href=x></a>".repeat(33_000)}` },
  { name: "an attribute of 5 MB", html: `<p><a href="/x" title="${"t ".repeat(2_500_000)}">x</a></p>` },
  { name: "50,000 links in a line", html: `<p>${repeated(50_000, (i) => `<a href="/${i}">${i}</a> `)}</p>` },
  { name: "a word of 5 MB", html: `<p>${"x".repeat(5_000_000)}</p>` }
]
