import { OutputFormat } from "@sluice/contract"
import { Effect, Schema } from "effect"

/** An absolute http or https URL. */
export const PageUrl = Schema.String.check(
  Schema.makeFilter(
    (value: string) => {
      if (!URL.canParse(value)) return false
      const { protocol } = new URL(value)
      return protocol === "http:" || protocol === "https:"
    },
    { expected: "an absolute http or https URL" }
  )
)

/** What pages are asked for as: sources disagree on the API's default, so it is always sent. */
export const Formats = Schema.Array(OutputFormat)
  .check(Schema.isMinLength(1))
  .pipe(Schema.withDecodingDefaultTypeKey(Effect.succeed(["markdown"] as const)))
