import { copyFile } from "node:fs/promises"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import { makeLedgerMemory, type PageRecord } from "@sluice/core"
import { Directory, type DirectorySinkOptions } from "@sluice/sink-s3"
import { sampleRecord, startRun } from "@sluice/testkit"
import { Effect } from "effect"
import { filesOf, readLake } from "../readLake.ts"

/** The records of a run, clean ones. */
export const recordsOf = (run: number): ReadonlyArray<PageRecord> => [
  sampleRecord(`https://a.example/${run}/ünïcode/漢字/😀`, {
    jobId: `job-${run}`,
    key: 2n ** 63n - BigInt(run),
    markdown: "e\u0301 👩‍👩‍👧 \\N \t \\ \" , ' \r\n",
    html: "",
    extra: { cached: true, sizes: [1.5, null, "漢"], deep: { a: {} } },
    durationMs: 2 ** 31 - 1
  }),
  sampleRecord(`https://a.example/${run}/failed`, {
    jobId: `job-${run}`,
    key: -(2n ** 63n) + BigInt(run),
    status: "failed",
    parentUrl: null,
    depth: null,
    markdown: null,
    links: [],
    httpStatus: null
  }),
  ...Array.from({ length: 5 }, (_, at) => sampleRecord(`https://a.example/${run}/${at}`, { jobId: `job-${run}` }))
]
/** One that is set aside. */
export const dirty = (run: number) =>
  sampleRecord(`https://a.example/${run}/dirty`, { jobId: `job-${run}`, markdown: "half \uD83D" })

/** Runs into one directory under one ledger, each in two segments; answers their ids. */
export const land = Effect.fnUntraced(function* (sinks: ReadonlyArray<DirectorySinkOptions>) {
  const ledger = makeLedgerMemory()
  const ids: Array<string> = []
  for (const [at, options] of sinks.entries()) {
    const sink = Directory.sink(options)
    const lease = { holder: "host/1/test", durationMs: 60_000 }
    const run = yield* ledger.begin({ pipeline: "suite", configHash: "h", startedAt: 1_750_000_000_000 + at }, lease)
    const { publish, write } = yield* startRun(sink, yield* sink.connect, { ledger, run })
    const [first, ...others] = recordsOf(at + 1)
    yield* write(1, [first!, dirty(at + 1)])
    yield* write(2, others)
    yield* publish
    ids.push(run.runId)
  }
  return ids
})

/** What a process leaves that dies: a part beside the published ones, and the parts of a run that was not published. */
export const litter = Effect.fnUntraced(function* (options: DirectorySinkOptions & { readonly path: string }) {
  const { runs } = yield* Effect.promise(() => readLake(filesOf(options.path), "suite"))
  const manifest = yield* Effect.promise(() => filesOf(options.path)(runs.at(-1)!.manifest))
  const { parts }: { readonly parts: ReadonlyArray<{ readonly key: string }> } = JSON.parse(
    Buffer.from(manifest!).toString()
  )
  for (const { key } of parts) {
    const orphan = key.replace("part-0001", "part-0002")
    assert.notStrictEqual(orphan, key)
    yield* Effect.promise(() => copyFile(join(options.path, key), join(options.path, orphan)))
  }
  const sink = Directory.sink(options)
  const { write } = yield* startRun(sink, yield* sink.connect, { startedAt: 1_750_000_009_000 })
  yield* write(1, recordsOf(9))
})
