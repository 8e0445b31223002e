import { cleanText } from "@sluice/core"

/** Which letters: those to which every given condition applies, and all where none is given. */
export interface LetterFilter {
  readonly pipeline?: string
  readonly runId?: string
  readonly letters?: ReadonlyArray<number>
}

/** A filter as a condition on `dead_letters`, whose parameters are numbered from `first`. */
export const conditionOf = (first: number): string =>
  `($${first}::text IS NULL OR pipeline = $${first}) AND ($${first + 1}::text IS NULL OR run_id::text = $${first + 1})
   AND ($${first + 2}::bigint[] IS NULL OR letter_no = ANY ($${first + 2}))`

/** The parameters of {@link conditionOf}. */
export const parametersOf = ({ letters, pipeline, runId }: LetterFilter): ReadonlyArray<string | null> => [
  pipeline === undefined ? null : cleanText(pipeline),
  runId ?? null,
  letters === undefined ? null : `{${letters.join(",")}}`
]
