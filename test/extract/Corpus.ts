import { readFileSync } from "node:fs"
import { Schema } from "effect"
import { Expectation } from "./Expectation.ts"
import { type Kind, pages } from "./pages.ts"

/** A page with what is expected of its conversion. */
export interface Sample {
  readonly name: string
  readonly kind: Kind | "manual" | "news"
  readonly url: string
  readonly html: string
  readonly expected: Expectation
  /** Of the main content no more is known than its text. */
  readonly isTextOnly?: boolean
}

const read = (file: string) => readFileSync(new URL(`./fixtures/${file}`, import.meta.url), "utf8")
const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Expectation))

/** The pages that are kept with the sources. */
export const corpus = (): ReadonlyArray<Sample> =>
  pages.map(({ kind, name, url }) => ({
    name,
    kind,
    url,
    html: read(`${name}.html`),
    expected: decode(read(`${name}.json`))
  }))
