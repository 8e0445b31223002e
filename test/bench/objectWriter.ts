import { hash } from "node:crypto"
import { Readable } from "node:stream"
import { buffer } from "node:stream/consumers"
import { createGzip } from "node:zlib"
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3"
import { makeLedgerMemory } from "@sluice/core"
import { type Segment, tallyOf } from "@sluice/core/sink"
import { S3 } from "@sluice/sink-s3"
import { Config, Console, Effect, Schema, Stream } from "effect"
import { columnsOf, linkRows, metadataRows, pageRows } from "../../packages/sink-s3/src/Columns.ts"
import { jsonLines } from "../../packages/sink-s3/src/JsonLines.ts"
import { makePages, type Work } from "./pages.ts"

/** Pages of a segment weigh so much, as an S3 sink wants them. */
const segmentBytes = 32 * 1024 * 1024
/** So many different segments, written over and over under new names. */
const different = 2
/** Segments under way at once, as the sink says of itself. */
const atOnce = 2

/** What a writing process says of itself; MB of pages as they are in a segment. */
export interface WriterReport {
  readonly seconds: number
  readonly megabytes: number
  /** Seconds of CPU of this process. */
  readonly cpu: number
  readonly peakRss: number
}

const options = Config.all({
  endpoint: Config.String("ENDPOINT"),
  region: Config.String("REGION"),
  access_key_id: Config.String("KEY"),
  secret_access_key: Config.String("SECRET")
})

/** The same rows as JSON Lines, compressed alike and put, and nothing besides: the limit. */
const rawPut = Effect.fnUntraced(function* (segments: ReadonlyArray<Segment>, count: number) {
  const { access_key_id: accessKeyId, endpoint, region, secret_access_key: secretAccessKey } = yield* options
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } })
  const { encode } = jsonLines("none")
  const parts = yield* Effect.forEach(segments, ({ records }) =>
    Effect.all([
      encode(columnsOf.pages, pageRows(records)),
      encode(columnsOf.links, linkRows(records)),
      encode(columnsOf.page_metadata, metadataRows(records))
    ])
  )
  const put = async (bytes: Uint8Array, name: string) => {
    const Body = await buffer(Readable.from([bytes]).pipe(createGzip({ level: 1 })))
    const ChecksumSHA256 = hash("sha256", Body, "base64")
    await client.send(new PutObjectCommand({ Bucket: "bench", Key: `raw/${name}`, Body, ChecksumSHA256 }))
  }
  return Stream.range(0, count - 1).pipe(
    Stream.mapEffect(
      (nth) =>
        Effect.forEach(
          parts[nth % parts.length]!,
          (bytes, part) => Effect.promise(() => put(bytes, `${nth}-${part}`)),
          {
            concurrency: atOnce,
            discard: true
          }
        ),
      { concurrency: atOnce }
    ),
    Stream.runDrain
  )
})

const sinkWrite = Effect.fnUntraced(function* (
  format: "jsonl" | "parquet",
  segments: ReadonlyArray<Segment>,
  count: number
) {
  const sink = S3.sink({ bucket: "bench", prefix: `${format}/`, format, ...(yield* options) })
  const ledger = makeLedgerMemory()
  const run = yield* ledger.begin(
    { pipeline: "bench", configHash: "", startedAt: 0 },
    { holder: "bench", durationMs: 3_600_000 }
  )
  const connection = yield* sink.connect
  const session = yield* connection.begin(run)
  return Stream.range(0, count - 1).pipe(
    Stream.mapEffect(
      (nth) => {
        const { jobs, records } = segments[nth % segments.length]!
        const segment = { ...run, seq: nth + 1, records, jobs, bytes: segmentBytes }
        const commit = (rows: object) => ({
          ...segment,
          sink: "s3",
          keys: [],
          deadLetters: 0,
          tally: tallyOf([]),
          rows: { pages: 0, links: 0, page_metadata: 0, token_summaries: 0, ...rows }
        })
        return session.write(segment, { store: ledger.store, run: ({ rows }) => ledger.commit(commit(rows)) })
      },
      { concurrency: session.concurrency }
    ),
    Stream.runDrain
  )
})

const Format = Schema.Literals(["raw", "jsonl", "parquet"])

const main = Effect.gen(function* () {
  const format = yield* Config.schema(Format, "FORMAT")
  const work: Work = { pages: 100_000, links: yield* Config.Int("LINKS"), size: yield* Config.Int("SIZE") }
  const count = yield* Config.Int("SEGMENTS")
  const page = makePages(work)
  const perSegment = Math.floor(segmentBytes / (work.size + 60 * work.links + 200))
  const segments = Array.from(
    { length: different },
    (_, nth): Segment => ({
      runId: "",
      epoch: 1,
      seq: nth,
      jobs: [],
      bytes: segmentBytes,
      records: Array.from({ length: perSegment }, (_, at) => page("job", nth * perSegment + at))
    })
  )
  const writing = yield* format === "raw" ? rawPut(segments, count) : sinkWrite(format, segments, count)
  const start = performance.now()
  const before = process.cpuUsage()
  yield* writing
  const seconds = (performance.now() - start) / 1000
  const { system, user } = process.cpuUsage(before)
  const { maxRSS } = process.resourceUsage()
  const megabytes = (count * segmentBytes) / 1e6
  const report: WriterReport = { seconds, megabytes, cpu: (system + user) / 1e6, peakRss: maxRSS / 1000 }
  yield* Console.log(JSON.stringify(report))
}).pipe(Effect.scoped)

await Effect.runPromise(main)
