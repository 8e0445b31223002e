import type { Annotation } from "./Browser.ts"

/** The kinds of page that scores are told by. */
export type Kind =
  | "documentation"
  | "article"
  | "table"
  | "code"
  | "list"
  | "thread"
  | "product"
  | "script"
  | "broken"
  | "media"

/** A page of the corpus and what a person says of it. */
export interface CorpusPage extends Annotation {
  readonly name: string
  readonly kind: Kind
  readonly url: string
}

const whole = { main: [], side: [] }

/** The pages in `fixtures`. Those with a source are the real thing, see the README there; the others are written in its manner. */
export const pages: ReadonlyArray<CorpusPage> = [
  {
    name: "docbook-boolean",
    kind: "documentation",
    url: "https://docs.example/pg/datatype-boolean.html",
    main: [".sect1"],
    side: [],
    notHeading: "none-such"
  },
  {
    name: "docbook-fetch",
    kind: "documentation",
    url: "https://docs.example/pg/sql-fetch.html",
    main: [".refentry"],
    side: []
  },
  {
    name: "sphinx-colorsys",
    kind: "documentation",
    url: "https://docs.example/python/library/colorsys.html",
    main: ["div.body"],
    side: [],
    notHeading: ".headerlink",
    notText: ".headerlink",
    languages: ["python3"]
  },
  {
    name: "javadoc-mutable",
    kind: "documentation",
    url: "https://docs.example/java/org/apache/commons/lang3/mutable/Mutable.html",
    main: ["main"],
    side: []
  },
  {
    name: "doxygen-class",
    kind: "documentation",
    url: "https://docs.example/json/class_json_1_1_static_string.html",
    main: [".header", ".contents"],
    side: [".summary"],
    notHeading: ".permalink",
    notText: ".permalink",
    notTable: ".mlabels, .memname, .memberdecls, .directory"
  },
  {
    name: "doxygen-source",
    kind: "code",
    url: "https://docs.example/json/forwards_8h_source.html",
    main: [".header", ".contents"],
    side: [],
    code: ".fragment",
    notCode: ".lineno, .ttc",
    notText: ".lineno, .ttc"
  },
  {
    name: "rustdoc-trait",
    kind: "documentation",
    url: "https://docs.example/core/ops/trait.OneSidedRange.html",
    main: ["#main-content"],
    side: ["rustdoc-toolbar", ".out-of-band"],
    notHeading: ".anchor, #copy-path, rustdoc-toolbar",
    notText: ".anchor, #copy-path"
  },
  {
    name: "mdbook-comment",
    kind: "documentation",
    url: "https://docs.example/rust-by-example/hello/comment.html",
    main: ["main"],
    side: [],
    languages: ["rust"]
  },
  { name: "sqlite-nulls", kind: "table", url: "https://docs.example/sqlite/nulls.html", main: [], side: [".nosearch"] },
  {
    name: "sqlite-shortnames",
    kind: "documentation",
    url: "https://docs.example/sqlite/shortnames.html",
    main: [],
    side: [".nosearch"]
  },
  {
    name: "old-entities",
    kind: "documentation",
    url: "https://docs.example/libxml/entities.html",
    main: ["td[valign='top']:not([width])"],
    side: [],
    notTable: "table"
  },
  {
    name: "blog-wordpress",
    kind: "article",
    url: "https://ropeandpulley.example/2024/03/queue-table/",
    main: ["article"],
    side: [".sharedaddy", ".jp-relatedposts"]
  },
  {
    name: "news-article",
    kind: "article",
    url: "https://www.inletcourier.example/news/ferry",
    main: ["article"],
    side: [".ad"]
  },
  {
    name: "comments-blog",
    kind: "article",
    url: "https://slowkitchen.example/january/",
    main: ["article.gh-article", ".comments"],
    side: [".kg-signup-card"]
  },
  { name: "legal-terms", kind: "article", url: "https://nest.example/terms", main: [".content"], side: [] },
  { name: "math-footnotes", kind: "article", url: "https://tides.example/theory", ...whole },
  {
    name: "poem-and-mail",
    kind: "article",
    url: "https://ropeandpulley.example/lines",
    ...whole,
    code: "pre,xmp,listing"
  },
  { name: "table-spans", kind: "table", url: "https://cloud.example/prices", ...whole },
  {
    name: "table-layout",
    kind: "table",
    url: "http://photon.example/games.html",
    main: ["td[valign='top']:not([width])"],
    side: []
  },
  {
    name: "table-wide",
    kind: "table",
    url: "https://lakepedia.example/wiki/List_of_lakes",
    main: ["#content"],
    side: ["#siteSub", ".mw-jump-link", "#toc"],
    notHeading: ".mw-editsection",
    notText: ".mw-editsection"
  },
  { name: "nested-tables", kind: "table", url: "https://reports.example/14", ...whole },
  {
    name: "code-blocks",
    kind: "code",
    url: "https://code.example/blocks",
    ...whole,
    code: "pre:not(.code pre)",
    notCode: ".lineno",
    notTable: ".rouge-table",
    notText: ".lineno",
    languages: ["python", "rust", "bash", "ruby", "tsx", "yaml", null, "sh", null]
  },
  {
    name: "code-gutter",
    kind: "code",
    url: "https://git.example/harbour.git/queue.c",
    main: ["h1", "h2", "table", "p"],
    side: [],
    code: "pre, .js-file-line-container",
    notCode: ".linenos",
    notText: ".linenos",
    notTable: ".highlighttable, .js-file-line-container"
  },
  { name: "lists-nested", kind: "list", url: "https://lists.example/all", ...whole },
  {
    name: "listing-search",
    kind: "list",
    url: "https://nest.example/porto",
    main: ["main"],
    side: [".pagination", "button"]
  },
  {
    name: "forum-discourse",
    kind: "thread",
    url: "https://crumb.example/t/bread-does-not-rise/812",
    main: ["#main-outlet"],
    side: ["#related-topics"]
  },
  {
    name: "forum-phpbb",
    kind: "thread",
    url: "https://boats.example/viewtopic.php?f=4&t=9912",
    main: ["#page-body"],
    side: [".topic-actions", ".signature", ".postprofile"],
    code: ".codebox code"
  },
  {
    name: "qa-thread",
    kind: "thread",
    url: "https://shellanswers.example/questions/4881930/remove-the-last-line",
    main: ["#question-header", "#mainbar"],
    side: [".votecell", ".post-menu", ".post-taglist"],
    languages: ["bash", null, "sh"]
  },
  {
    name: "landing-saas",
    kind: "product",
    url: "https://tidewatch.example/",
    main: ["main"],
    side: []
  },
  {
    name: "shop-product",
    kind: "product",
    url: "https://hearth.example/products/kettle",
    main: ["main"],
    side: ["form"]
  },
  {
    name: "docs-docusaurus",
    kind: "documentation",
    url: "https://kestrel.example/docs/configuration",
    main: [".markdown"],
    side: [],
    notHeading: ".hash-link",
    notText: ".hash-link, button",
    languages: ["ts", "bash"]
  },
  {
    name: "readme-github",
    kind: "documentation",
    url: "https://forge.example/ines/rope",
    main: [".markdown-body"],
    side: [],
    languages: ["shell", "js"]
  },
  {
    name: "api-reference",
    kind: "documentation",
    url: "https://reference.example/docs/Queue/take",
    main: ["article"],
    side: ["button"],
    languages: ["js"]
  },
  {
    name: "chinese",
    kind: "script",
    url: "https://cha.example/wiki/zhonglei",
    main: [".article"],
    side: []
  },
  { name: "japanese", kind: "script", url: "https://daidokoro.example/tonjiru", main: ["main"], side: [] },
  { name: "arabic", kind: "script", url: "https://library.example/ar/news", main: ["article"], side: [] },
  {
    name: "russian",
    kind: "script",
    url: "https://habra.example/ru/articles/1/",
    main: [".tm-article", ".comments"],
    side: [".stats", ".tm-tags"],
    languages: ["bash"]
  },
  { name: "hindi", kind: "script", url: "https://samachar.example/rel", main: ["#story"], side: [] },
  { name: "thai-vietnamese", kind: "script", url: "https://food.example/", ...whole },
  { name: "broken-unclosed", kind: "broken", url: "https://plot.example/notes", ...whole },
  { name: "broken-tables", kind: "broken", url: "https://plot.example/tables", ...whole },
  { name: "broken-head", kind: "broken", url: "https://plot.example/head", ...whole },
  { name: "media-and-details", kind: "media", url: "https://harbour.example/page.html", ...whole },
  { name: "hidden-things", kind: "media", url: "https://harbour.example/hidden.html", ...whole }
]
