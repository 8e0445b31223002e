import { assert } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { Effect } from "effect"
import { runJson, type Start } from "../../apps/runner/test/Cli.ts"

/** A page as it stands in the tables. */
export interface LoadedPage {
  readonly url: string
  readonly depth: number
  readonly status: string
  readonly tokens: number | null
  readonly characters: number | null
  readonly links: ReadonlyArray<string>
}

/** How many rows each dataset has. */
export interface RowCounts {
  readonly pages: number
  readonly links: number
  readonly page_metadata: number
  readonly token_summaries: number
}

const landedPages = `
  SELECT p.url, p.depth, p.status, m.tokens_charged AS tokens, length(p.markdown) AS characters,
         ARRAY(SELECT l.url FROM links l WHERE l.set_no = p.set_no AND l.page_key = p.page_key ORDER BY l.position) AS links
  FROM pages p JOIN page_metadata m USING (set_no, page_key) ORDER BY p.url`

const rowCounts = `
  SELECT (SELECT count(*) FROM pages) AS pages, (SELECT count(*) FROM links) AS links,
         (SELECT count(*) FROM page_metadata) AS page_metadata, (SELECT count(*) FROM token_summaries) AS token_summaries`

/** Every page that landed, through `sluice query`. */
export const readPages = (options: Start) =>
  runJson<ReadonlyArray<LoadedPage>>(["query", "--json", landedPages], options)

/** The rows that landed, through `sluice query`. */
export const countRows = (options: Start) =>
  Effect.map(runJson<readonly [RowCounts]>(["query", "--json", rowCounts], options), ([counts]) => counts)

/** Asserts that a run completed and that its own numbers agree with each other. */
export const assertCompleted = (receipt: Receipt): void => {
  assert.strictEqual(receipt.status, "completed", receipt.reason)
  const { cancelled, completed, delivered, discovered, failed } = receipt.pages
  assert.strictEqual(discovered, completed + failed)
  assert.strictEqual(delivered, discovered)
  assert.strictEqual(cancelled, 0)
  assert.deepStrictEqual(receipt.tokens, { charged: completed, reserved: 0 })
  for (const { dead_letters, rows } of receipt.sinks) {
    assert.strictEqual(dead_letters, 0)
    assert.strictEqual(rows.pages, delivered)
    assert.strictEqual(rows.page_metadata, delivered)
  }
}
