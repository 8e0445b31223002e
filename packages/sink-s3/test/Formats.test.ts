import { assert, describe, it } from "@effect/vitest"
import { sampleRecord } from "@sluice/testkit"
import { Effect } from "effect"
import { columnsOf, linkRows, metadataRows, pageRows, type Row } from "../src/Columns.ts"
import { formatOf } from "../src/formatOf.ts"
import { readByArrow } from "./readByArrow.ts"
import { rowsOf } from "./readLake.ts"

const records = [
  sampleRecord("https://a.example/ünïcode/漢字/😀", {
    key: 2n ** 63n - 1n,
    markdown: 'e\u0301 👩‍👩‍👧 \u{10FFFF} \uFEFF \u2028 \t \\ " , \r\n',
    html: "",
    extra: { cached: true, sizes: [1.5, null, "漢"], deep: { a: {} } },
    durationMs: 2 ** 31 - 1
  }),
  sampleRecord("https://a.example/failed", {
    key: -(2n ** 63n),
    status: "failed",
    errorCode: "TIMEOUT",
    parentUrl: null,
    depth: null,
    markdown: null,
    links: [],
    httpStatus: null,
    durationMs: null,
    tokensCharged: 0
  }),
  sampleRecord("https://a.example/big", { markdown: "é".repeat(400_000), inputIndex: 0 })
]
const summary: Row = ["job-1", "crawl", "https://a.example/", "completed", 3, 2, 1, 0, 2 ** 40, 0, 1_750_000_000_123]

const datasets = {
  pages: [...pageRows(records)],
  links: [...linkRows(records)],
  page_metadata: [...metadataRows(records)],
  token_summaries: [summary]
} as const

/** What a reader is to find: keys as text, instants as JSON Lines have them. */
const expected = (dataset: keyof typeof datasets) =>
  datasets[dataset].map((row) =>
    Object.fromEntries(
      columnsOf[dataset].map(({ name, type }, at) => {
        const value = row[at] ?? null
        if (typeof value === "bigint") return [name, String(value)]
        return [name, type === "instant" ? new Date(Number(value)).toISOString() : value]
      })
    )
  )

describe("parts", () => {
  for (const dataset of ["pages", "links", "page_metadata", "token_summaries"] as const) {
    for (const compression of ["gzip", "zstd", "none"] as const) {
      it.effect(`hold ${dataset} as JSON Lines (${compression}), the same bytes every time`, () =>
        Effect.gen(function* () {
          const format = formatOf({ format: "jsonl", compression })
          const bytes = yield* format.encode(columnsOf[dataset], datasets[dataset])
          assert.deepStrictEqual(
            yield* Effect.promise(() => rowsOf(`part.${format.extension}`, bytes)),
            expected(dataset)
          )
          assert.deepStrictEqual(yield* format.encode(columnsOf[dataset], datasets[dataset]), bytes)
        })
      )
    }
    for (const compression of ["gzip", "zstd", "snappy", "none"] as const) {
      it.effect(`hold ${dataset} as Parquet (${compression}), for two readers, the same bytes every time`, () =>
        Effect.gen(function* () {
          const format = formatOf({ format: "parquet", compression })
          const bytes = yield* format.encode(columnsOf[dataset], datasets[dataset])
          const rows = yield* Effect.promise(() => rowsOf(`part.${format.extension}`, bytes))
          assert.deepStrictEqual(rows, expected(dataset))
          assert.deepStrictEqual(readByArrow(bytes), expected(dataset))
          assert.deepStrictEqual(yield* format.encode(columnsOf[dataset], datasets[dataset]), bytes)
        })
      )
    }
  }
})
