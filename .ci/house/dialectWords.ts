/** A word of the old dialect. `where` limits a pattern to the paths that it matches. */
interface DialectWord {
  readonly pattern: string
  readonly instead: string
  readonly where?: string
}

/** The words that this repository no longer uses: `phrases` in prose, `names` as identifiers and file names. */
export interface Dialect {
  readonly phrases: ReadonlyArray<DialectWord>
  readonly names: ReadonlyArray<DialectWord>
}

/** One use of such a word. */
export interface DialectUse {
  readonly path: string
  readonly line: number
  readonly word: string
  readonly instead: string
}

/** Finds the words of the old dialect in a TypeScript file or a document. */
export const dialectWords = (path: string, text: string, dialect: Dialect): ReadonlyArray<DialectUse> => {
  // Applied migrations never change, comments included.
  if (path.includes(".generated.")) return []
  const applies = ({ where }: DialectWord) => where === undefined || new RegExp(where).test(path)
  const lineOf = (index: number) => text.slice(0, index).split("\n").length
  const { code, prose } = path.endsWith(".ts") ? separate(text) : { code: "", prose: withoutCode(text) }
  const phrases = dialect.phrases.filter(applies).flatMap(({ instead, pattern }) =>
    // A phrase may be broken over two lines of a comment.
    [...prose.matchAll(new RegExp(pattern.replaceAll(" ", "(?:\\s|\\*|//)+"), "gi"))].map((match) => ({
      path,
      line: lineOf(match.index),
      word: match[0].replace(/[\s*/]+/g, " "),
      instead
    }))
  )
  const names = dialect.names.filter(applies).map(({ instead, pattern }) => ({ instead, regex: new RegExp(pattern) }))
  const inCode = [...code.matchAll(/[A-Za-z_$][\w$]*/g)].flatMap((match) =>
    names
      .filter(({ regex }) => regex.test(match[0]))
      .map(({ instead }) => ({ path, line: lineOf(match.index), word: match[0], instead }))
  )
  const inPath = path
    .split("/")
    .map((part) => part.replace(/\..*$/, ""))
    .flatMap((part) =>
      names.filter(({ regex }) => regex.test(part)).map(({ instead }) => ({ path, line: 0, word: part, instead }))
    )
  return [...phrases, ...inCode, ...inPath]
}

const blank = (text: string) => text.replace(/[^\n]/g, " ")

/** Splits a program into code and prose (comments and strings), each with blanks in place of the other. */
const separate = (text: string): { readonly code: string; readonly prose: string } => {
  let code = ""
  let prose = ""
  let last = 0
  const literals = /\/\*[\s\S]*?\*\/|(?<!:)\/\/.*|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g
  for (const match of text.matchAll(literals)) {
    const before = text.slice(last, match.index)
    const isModule = /^"\.{0,2}\/|^"[@a-z].*\.ts"$/.test(match[0])
    code += before + blank(match[0])
    prose += blank(before) + (isModule ? blank(match[0]) : match[0])
    last = match.index + match[0].length
  }
  return { code: code + text.slice(last), prose: prose + blank(text.slice(last)) }
}

const withoutCode = (markdown: string) => markdown.replace(/^```[\s\S]*?^```/gm, blank).replace(/`[^`\n]*`/g, blank)
