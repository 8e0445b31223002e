import type { OutputFormat } from "@sluice/contract"
import type { RequirableField } from "../record/Tally.ts"

/** Why no page can have a field, where a source asks for these formats. */
export const whyFormatAbsent = (
  { formats }: { readonly formats: ReadonlyArray<OutputFormat> },
  field: RequirableField
): string | undefined =>
  (field === "markdown" || field === "html") && !formats.includes(field)
    ? "formats of the source do not ask for it"
    : undefined
