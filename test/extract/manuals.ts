import { createHash } from "node:crypto"
import { existsSync, globSync, readFileSync } from "node:fs"
import { basename, dirname } from "node:path"
import { Effect, type Scope } from "effect"
import { decodeText } from "../../apps/scraper/src/net/decodeText.ts"
import { type Annotation, browser } from "./Browser.ts"
import type { Sample } from "./Corpus.ts"

// Pages that the conversion was not improved by. A seed chooses them, and was committed before they were first converted; `sealed` chooses
// others, for a second look at the end. Nobody says by hand what is the content of such a page, so only whole pages are scored.

/** What a generator made, and the Debian package that has it. */
interface Manual {
  readonly generator: string
  readonly from: string
  readonly files: string
}

/** The seed whose pages are scored first and last, and one whose pages are scored only at the end. */
export const seeds = { open: "manuals-2026-11-30", sealed: "manuals-2026-11-30-sealed" }

const manuals: ReadonlyArray<Manual> = [
  { generator: "gtk-doc", from: "libglib2.0-doc", files: "/usr/share/gtk-doc/html/{gio,glib,gobject}/*.html" },
  { generator: "gi-docgen", from: "libadwaita-1-doc", files: "/usr/share/doc/libadwaita-1/*.html" },
  { generator: "asciidoc", from: "git-doc", files: "/usr/share/doc/git-doc/{.,*}/*.html" },
  { generator: "yard", from: "asciidoctor-doc", files: "/usr/share/doc/asciidoctor-doc/html/**/*.html" },
  { generator: "apache", from: "apache2-doc", files: "/usr/share/doc/apache2-doc/manual/{en,ja,ko,fr,tr}/**/*.html" },
  { generator: "mkdocs", from: "mkdocs-doc", files: "/usr/share/doc/mkdocs/html/**/*.html" },
  { generator: "qdoc", from: "qtsvg5-doc-html", files: "/usr/share/qt5/doc/qtsvg/*.html" },
  { generator: "rustdoc", from: "rust-doc", files: "/usr/share/doc/rust-doc/html/std/{collections,fmt,io,net}/*.html" },
  { generator: "mdbook", from: "rust-doc", files: "/usr/share/doc/rust-doc/html/{book,nomicon,reference}/*.html" },
  { generator: "node", from: "nodejs-doc", files: "/usr/share/doc/nodejs/api/*.html" },
  { generator: "sphinx", from: "python-jinja2-doc", files: "/usr/share/doc/python-jinja2-doc/html/*.html" },
  {
    generator: "sphinx-ja",
    from: "developers-reference-ja",
    files: "/usr/share/developers-reference/ja/*.html"
  },
  {
    generator: "javadoc",
    from: "libcommons-io-java-doc",
    files: "/usr/share/doc/libcommons-io-java/api/org/**/*.html"
  },
  { generator: "doxygen", from: "ffmpeg-doc", files: "/usr/share/doc/ffmpeg/api/{struct,group,}*.html" },
  { generator: "texinfo", from: "zsh-doc", files: "/usr/share/doc/zsh-common/html/*.html" },
  { generator: "texinfo-maths", from: "maxima-doc", files: "/usr/share/doc/maxima-doc/html/maxima_*.html" },
  { generator: "docbook-ja", from: "debian-reference-ja", files: "/usr/share/debian-reference/*.ja.html" },
  { generator: "docbook", from: "exim4-doc-html", files: "/usr/share/doc/exim4-doc-html/spec_html/*.html" },
  { generator: "by-hand", from: "postfix-doc", files: "/usr/share/doc/postfix/html/*.html" },
  { generator: "latex2html", from: "gnuplot-doc", files: "/usr/share/doc/gnuplot/htmldocs/*.html" }
]

const permalinks =
  "a.headerlink, a.anchor, a.permalink, a.copiable-link, a.selflink, a.mark, a.anchor-link, h1 > a[href^='#']:empty"

const annotation: Annotation = {
  main: [],
  side: [],
  code: "pre, .fragment",
  notCode: ".lineno, .ttc, .line-numbers, .linenos, .linenodiv, .fragment pre, button",
  notHeading: permalinks,
  notText: `${permalinks}, .lineno, .ttc, .line-numbers, .linenos`,
  notTable:
    ".mlabels, .memname, .memberdecls, .directory, [role=presentation], .navigation, .navheader table, .navfooter table"
}

/** A page smaller than this says next to nothing; a larger one takes the time of all others. */
const leastBytes = 2_000
const mostBytes = 150_000

/** The seed's pages of each generator, `each` of them, and the packages that are missing. */
export const manualPages = (
  seed: string,
  each: number
): Effect.Effect<
  { readonly samples: ReadonlyArray<Sample>; readonly missing: ReadonlyArray<string> },
  never,
  Scope.Scope
> =>
  Effect.gen(function* () {
    if (!existsSync("/usr/bin/chromium")) return { samples: [], missing: ["all manuals: no Chromium to ask"] }
    const ask = yield* browser
    const samples: Array<Sample> = []
    const missing: Array<string> = []
    for (const { files, from, generator } of manuals) {
      const chosen = chosenOf(files, seed, each)
      if (chosen.length === 0) missing.push(`${generator}: Debian's ${from} is not installed`)
      for (const file of chosen) {
        const html = decodeText(readFileSync(file), "text/html")
        const url = `https://docs.example/${basename(dirname(file))}/${basename(file)}`
        const expected = yield* ask(html, url, annotation)
        samples.push({ name: `${generator}/${basename(file, ".html")}`, kind: "manual", url, html, expected })
      }
    }
    return { samples, missing }
  })

/** The files whose hashes with the seed are the smallest: the same ones wherever the package is installed. */
const chosenOf = (files: string, seed: string, each: number): ReadonlyArray<string> => {
  const rank = (file: string) => createHash("sha256").update(`${seed} ${file}`).digest("hex")
  return globSync(files)
    .map((file) => ({ file, rank: rank(file) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ file }) => file)
    .filter((file) => {
      const { byteLength } = readFileSync(file)
      return byteLength >= leastBytes && byteLength <= mostBytes
    })
    .slice(0, each)
}
