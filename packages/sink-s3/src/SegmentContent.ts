import {
  type DeadLetterRow,
  type LakeDataset,
  type LakePage,
  linkRows,
  metadataRows,
  pageRows,
  type Rows
} from "./Columns.ts"

/** What a segment holds, without its counters. */
export interface SegmentContent {
  readonly pages: ReadonlyArray<LakePage>
  readonly deadLetters: ReadonlyArray<DeadLetterRow>
}

/** The rows of segments, of each dataset that has any. */
export const datasetRows = (contents: ReadonlyArray<SegmentContent>): ReadonlyArray<readonly [LakeDataset, Rows]> => {
  const pages = contents.flatMap(({ pages }) => pages)
  const all: ReadonlyArray<readonly [LakeDataset, Rows]> = [
    ["pages", pageRows(pages)],
    ["links", linkRows(pages)],
    ["page_metadata", metadataRows(pages)],
    ["dead_letters", contents.flatMap(({ deadLetters }) => deadLetters)]
  ]
  return all.filter(([, rows]) => rows.length > 0)
}
