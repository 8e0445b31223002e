/** Emphasis whose delimiters are read by what is beside them. */
export type Attention = "strong" | "emphasis" | "delete"

/**
 * A piece of a line of Markdown. `text` is what the page says, and is escaped where a parser would read something into it; all else is
 * written as it is.
 */
export interface InlineToken {
  kind: "text" | "raw" | "open" | "close" | "linkOpen" | "imageOpen" | "linkClose"
  value: string
  /** Of delimiters, what they mark, and the token at the other end. */
  readonly attention?: Attention
  pair?: InlineToken
}

/** What is written, but for backslashes: which of it the page says, and which are delimiters. */
export interface InlineLine {
  readonly source: string
  readonly tokens: ReadonlyArray<InlineToken>
  /** Whether any text has a sign that may mean something within a line. */
  readonly isSpecial: boolean
}

/** Where phrasing content is written. */
export type Place = "paragraph" | "item" | "heading" | "cell"
