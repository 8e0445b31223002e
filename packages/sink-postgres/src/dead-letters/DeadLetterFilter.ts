import { cleanText } from "@sluice/core/sink"

/** Selects dead letters that meet every given condition; all of them where none is given. */
export interface DeadLetterFilter {
  readonly pipeline?: string
  readonly runId?: string
  readonly ids?: ReadonlyArray<number>
}

/** A filter as a condition on `dead_letters`, whose parameters are numbered from `first`. */
export const conditionOf = (first: number): string =>
  `($${first}::text IS NULL OR pipeline = $${first}) AND ($${first + 1}::text IS NULL OR run_id::text = $${first + 1})
   AND ($${first + 2}::bigint[] IS NULL OR letter_no = ANY ($${first + 2}))`

/** The parameters of {@link conditionOf}. */
export const parametersOf = ({ ids, pipeline, runId }: DeadLetterFilter): ReadonlyArray<string | null> => [
  pipeline === undefined ? null : cleanText(pipeline),
  runId ?? null,
  ids === undefined ? null : `{${ids.join(",")}}`
]
