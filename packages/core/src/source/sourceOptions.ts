import { OutputFormat, ProxyConfig } from "@sluice/contract"
import { Effect, Schema } from "effect"
import { hasControls } from "../record/plainText.ts"

const notUrl = "must be an absolute http or https URL"

/** An absolute http or https URL. It is written into tables and receipts, so it holds no credentials. */
export const PageUrl = Schema.String.check(
  Schema.makeFilter((value: string) => {
    if (hasControls(value) || value.trim() !== value || !URL.canParse(value)) return notUrl
    const { password, protocol, username } = new URL(value)
    if (protocol !== "http:" && protocol !== "https:") return notUrl
    return username === "" && password === ""
      ? true
      : "must not hold a user name or a password: they would be written into tables and receipts; send them as headers"
  })
)

/** What RFC 9110 takes for the name of a header. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** Headers for the servers of pages, of which an HTTP client can send each. */
export const PageHeaders = Schema.NullOr(
  Schema.Record(Schema.String, Schema.String).check(
    Schema.makeFilter((headers) => {
      const issues = Object.entries(headers).flatMap(([name, value]) => {
        if (!token.test(name))
          return [{ path: [name], issue: "the name of a header holds no blanks, colons and control characters" }]
        return hasControls(value.replaceAll("\t", " ")) || value.trim() !== value
          ? [{ path: [name], issue: "must be a text without control characters, and no blanks around it" }]
          : []
      })
      return issues.length === 0 || issues
    })
  )
)

/** ISO 3166-1 alpha-2. */
const Country = Schema.String.check(
  Schema.isPattern(/^[A-Za-z]{2}$/, { expected: "a country as two letters, such as DE" })
)

/** Where requests leave from. */
export const PageProxy = Schema.Struct({
  ...ProxyConfig.fields,
  country: Schema.optionalKey(Schema.NullOr(Country))
}).annotate({ identifier: "Proxy" })

/** What pages are asked for as: sources disagree on the API's default, so it is always sent. */
export const Formats = Schema.Array(OutputFormat)
  .check(Schema.isMinLength(1))
  .pipe(Schema.withDecodingDefaultTypeKey(Effect.succeed(["markdown"] as const)))
