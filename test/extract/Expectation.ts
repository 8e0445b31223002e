import { Schema } from "effect"

/** In the page beside its content: navigation, advertising, footers. Whole-page conversion keeps it, main content has it dropped. */
const beside = { side: Schema.optionalKey(Schema.Literal(true)) }

/**
 * What a page says, in document order: what a person sees in a browser, not what a converter makes of it. `text` holds the words of a
 * block; a cell of a table that is covered by the span of another is null.
 */
export const Expectation = Schema.Struct({
  text: Schema.Array(Schema.Struct({ text: Schema.String, ...beside })),
  headings: Schema.Array(Schema.Struct({ level: Schema.Int, text: Schema.String, ...beside })),
  links: Schema.Array(Schema.Struct({ text: Schema.String, url: Schema.String, ...beside })),
  images: Schema.Array(Schema.Struct({ alt: Schema.String, url: Schema.String, ...beside })),
  tables: Schema.Array(Schema.Struct({ rows: Schema.Array(Schema.Array(Schema.NullOr(Schema.String))), ...beside })),
  code: Schema.Array(Schema.Struct({ text: Schema.String, language: Schema.NullOr(Schema.String), ...beside })),
  inlineCode: Schema.Array(Schema.Struct({ text: Schema.String, ...beside })),
  items: Schema.Array(Schema.Struct({ depth: Schema.Int, ordered: Schema.Boolean, text: Schema.String, ...beside })),
  /** What nobody sees and no conversion may show: scripts, styles, templates, hidden elements. */
  hidden: Schema.Array(Schema.String)
})
export type Expectation = typeof Expectation.Type

/** How much of a page is asked for. */
export type Extent = "page" | "main"

/** What is expected of a conversion that leaves out what stands beside the content. */
export const within = (extent: Extent, expectation: Expectation): Expectation => {
  if (extent === "page") return expectation
  const main = <A extends { readonly side?: true }>(all: ReadonlyArray<A>) => all.filter(({ side }) => side !== true)
  return {
    text: main(expectation.text),
    headings: main(expectation.headings),
    links: main(expectation.links),
    images: main(expectation.images),
    tables: main(expectation.tables),
    code: main(expectation.code),
    inlineCode: main(expectation.inlineCode),
    items: main(expectation.items),
    hidden: expectation.hidden
  }
}
