import { createReadStream, createWriteStream } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { parseArgs } from "node:util"
import { type JobSnapshot, type PageRecord, type Segment, tallyOf } from "@sluice/core"
import { type Database, Postgres, quoteName } from "@sluice/sink-postgres"
import { Console, Effect, Stream } from "effect"
import { fingerprint } from "../../packages/sink-postgres/src/Fingerprint.ts"
import {
  encodeLinks,
  encodeMetadata,
  encodePages,
  type KeyedRecord,
  linksTarget,
  metadataTarget,
  pagesTarget
} from "../../packages/sink-postgres/src/Rows.ts"
import { createDatabase, postgresServer } from "../../packages/testkit/src/PostgresServer.ts"
import { type Load, load, loadByHand, serveCrawl } from "./Loading.ts"
import { makePages } from "./pages.ts"

// What the Postgres sink makes of the server's own speed: raw COPY of the same bytes into the same keyed tables, over as many
// connections, is the limit; all in one run on one machine, because figures of different hours do not compare.
// node test/bench/postgres.ts [--pages 20000] [--links 20] [--size 4096] [--segment 500] [--rounds 3] [--memory]
// DATABASE_URL names the server; else one without fsync (and lz4) is started, whose ratios flatter no one but mean less.

const { values: flags } = parseArgs({
  options: {
    pages: { type: "string", default: "20000" },
    links: { type: "string", default: "20" },
    size: { type: "string", default: "4096" },
    segment: { type: "string", default: "500" },
    rounds: { type: "string", default: "3" },
    memory: { type: "boolean", default: false }
  }
})
const pages = Number(flags.pages)
const linksPerPage = Number(flags.links)
const size = Number(flags.size)
const perSegment = Number(flags.segment)
const rounds = Number(flags.rounds)
const segmentCount = Math.ceil(pages / perSegment)
const connections = 2
const naiveSample = Math.min(pages, 200)

const work = { pages, links: linksPerPage, size }
const recordOf = makePages(work)

const snapshot = (jobId: string): JobSnapshot => ({
  jobId,
  kind: "crawl",
  url: "https://site.example/",
  status: "completed",
  discovered: pages,
  completed: pages,
  failed: 0,
  cancelled: 0,
  tokensCharged: pages,
  tokensReserved: 0,
  observedAt: 1_700_000_000_000
})

const recordsOfSegment = (jobId: string, seq: number): ReadonlyArray<PageRecord> =>
  Array.from({ length: Math.min(perSegment, pages - seq * perSegment) }, (_, n) =>
    recordOf(jobId, seq * perSegment + n)
  )

/** All records of a job, made before the clock starts; with --memory made one segment at a time, as a crawl does. */
const recordsOf = (jobId: string): ((seq: number) => ReadonlyArray<PageRecord>) => {
  if (flags.memory) return (seq) => recordsOfSegment(jobId, seq)
  const segments = Array.from({ length: segmentCount }, (_, seq) => recordsOfSegment(jobId, seq))
  return (seq) => segments[seq]!
}

function* keyedOf(lane: number): Generator<KeyedRecord> {
  for (let seq = lane; seq < segmentCount; seq += connections) {
    const records = recordsOfSegment("raw", seq).toSorted((a, b) => (a.key < b.key ? -1 : 1))
    for (const record of records)
      yield { record, setNo: 1, jobNo: 1, mayStand: false, fingerprint: fingerprint(record) }
  }
}

const encoders = [
  [pagesTarget, encodePages],
  [linksTarget, encodeLinks],
  [metadataTarget, encodeMetadata]
] as const

/** Writes the bytes of the raw load to files, one a connection and table, and answers how many there are. */
const encodeFiles = async (folder: string): Promise<number> => {
  let bytes = 0
  const counted = function* (chunks: Iterable<Uint8Array>) {
    for (const chunk of chunks) {
      bytes += chunk.length
      yield chunk
    }
  }
  for (let lane = 0; lane < connections; lane++) {
    for (const [table, [, encode]] of encoders.entries()) {
      await pipeline(Readable.from(counted(encode(keyedOf(lane)))), createWriteStream(join(folder, `${lane}-${table}`)))
    }
  }
  return bytes
}

interface Measured {
  readonly seconds: number
  readonly rss: number
  readonly wal: number
  /** Seconds of CPU of this process. */
  readonly cpu: number
}

/** Time, the process's highest memory and the server's WAL while an effect runs. */
const measure = <E, R>(database: Database["Service"], work: Effect.Effect<unknown, E, R>) =>
  Effect.gen(function* () {
    yield* database.query("SELECT pg_switch_wal()")
    const walAt = database.query("SELECT pg_current_wal_lsn() - '0/0' AS at")
    const [before] = yield* walAt
    let rss = 0
    const watch = setInterval(() => {
      rss = Math.max(rss, process.memoryUsage.rss())
    }, 20)
    const cpu = process.cpuUsage()
    const start = performance.now()
    yield* work
    const seconds = (performance.now() - start) / 1000
    clearInterval(watch)
    const spent = process.cpuUsage(cpu)
    const [after] = yield* walAt
    return {
      seconds,
      cpu: (spent.user + spent.system) / 1e6,
      rss: rss / 1e6,
      wal: (Number(after?.at) - Number(before?.at)) / 1e6
    }
  })

const rawLoad = (database: Database["Service"], folder: string) =>
  Effect.forEach(
    Array.from({ length: connections }, (_, lane) => lane),
    (lane) =>
      Effect.forEach(encoders, ([target], table) =>
        database.transaction((tx) =>
          tx.copyIn(target, createReadStream(join(folder, `${lane}-${table}`), { highWaterMark: 262144 }))
        )
      ),
    { concurrency: connections }
  )

const lease = { holder: "host/1/test", durationMs: 60_000 }

type Mode = "append" | "merge" | "replace" | "history"

const sinkLoad = (url: string, schema: string, mode: Mode, jobId: string) =>
  Effect.gen(function* () {
    const { ledger, begin } = yield* Postgres.sink({ url, schema, mode }).connect
    const database = yield* Postgres.open({ url, schema })
    yield* database.query("CHECKPOINT")
    const records = recordsOf(jobId)
    const run = yield* ledger!.begin({ pipeline: "bench", configHash: "", startedAt: 1_700_000_000_000 }, lease)
    const session = yield* begin(run)
    const load = Stream.range(0, segmentCount - 1).pipe(
      Stream.mapEffect(
        (seq) => {
          const batch = records(seq)
          const keys = [{ jobId, keys: BigInt64Array.from(batch, ({ key }) => key) }]
          const { runId, epoch } = run
          const segment: Segment = { runId, epoch, seq, records: batch, jobs: [snapshot(jobId)], bytes: 0 }
          return session.write(segment, {
            store: ledger!.store,
            run: ({ rows, deadLetters }, within) =>
              ledger!.commit(
                {
                  runId,
                  epoch,
                  sink: "postgres",
                  seq,
                  bytes: 0,
                  keys,
                  jobs: [],
                  rows: { ...rows, token_summaries: 0 },
                  deadLetters,
                  tally: tallyOf(batch)
                },
                within
              )
          })
        },
        { concurrency: session.concurrency }
      ),
      Stream.runDrain
    )
    return yield* measure(database, load)
  }).pipe(Effect.scoped)

const endToEnd = {
  "end to end, append": { mode: "append", latency: 0 },
  "end to end, merge": { mode: "merge", latency: 0 },
  "end to end, append, 100 ms away": { mode: "append", latency: 100 },
  "by hand, upsert": { mode: "by hand", latency: 0 }
}

/** The whole of it: a process that reads a finished crawl over HTTP and lands it. Its own clock, memory and CPU. */
const loadEndToEnd = Effect.fnUntraced(function* (url: string, schema: string, mode: string, latency: number) {
  const api = yield* serveCrawl(work, latency)
  const database = yield* Postgres.open({ url, schema })
  const to = { API: api, DATABASE_URL: url, SCHEMA: schema }
  const isByHand = mode === "by hand"
  if (!isByHand) yield* Postgres.migrate(database)
  yield* database.query("CHECKPOINT")
  const loading: Effect.Effect<Load & { readonly pages: number }> = isByHand
    ? loadByHand({ ...to, PAGES: String(pages) })
    : Effect.map(load({ ...to, KEY: "bench", MODE: mode }), (report) => ({
        ...report,
        pages: report.receipt.pages.delivered
      }))
  let loaded: Load = { seconds: 0, peakRss: 0, cpu: 0 }
  const whole = yield* measure(
    database,
    Effect.map(loading, (load) => {
      if (load.pages !== pages) throw new Error(`only ${load.pages} pages were landed`)
      loaded = load
    })
  )
  yield* database.query(`DROP SCHEMA ${quoteName(schema)} CASCADE`)
  return { ...whole, seconds: loaded.seconds, rss: loaded.peakRss, cpu: loaded.cpu }
}, Effect.scoped)

/** A statement a row, one transaction for all of the sample; scaled up to the whole. */
const naiveLoad = (database: Database["Service"]) =>
  database.transaction(
    Effect.fnUntraced(function* (tx) {
      for (let at = 0; at < naiveSample; at++) {
        const { key, url, markdown, links } = recordOf("naive", at)
        yield* tx.query(
          "INSERT INTO pages (set_no, page_key, job_no, url, status, markdown) VALUES (9, $1, 1, $2, 'completed', $3)",
          [String(key), url, markdown]
        )
        yield* tx.query("INSERT INTO page_metadata (set_no, page_key, job_no, http_status) VALUES (9, $1, 1, 200)", [
          String(key)
        ])
        for (const [position, link] of links.entries()) {
          yield* tx.query("INSERT INTO links (set_no, page_key, position, url) VALUES (9, $1, $2, $3)", [
            String(key),
            position,
            link
          ])
        }
      }
    })
  )

const round = Effect.fnUntraced(function* (url: string, folder: string, number: number) {
  const inSchema = Effect.fnUntraced(function* (name: string) {
    const database = yield* Postgres.open({ url, schema: name })
    yield* Postgres.migrate(database)
    yield* database.query("CHECKPOINT")
    return database
  })
  const drop = (name: string) =>
    Effect.flatMap(Postgres.open({ url }), (database) => database.query(`DROP SCHEMA ${quoteName(name)} CASCADE`))
  const schemaOf = (mode: Mode) => `${mode}_${number}`
  const raw = `raw_${number}`
  const measured: Record<string, Measured> = {}
  const sinkInto = (mode: Mode, jobId: string) => sinkLoad(url, schemaOf(mode), mode, jobId)
  measured["sink, append"] = yield* sinkInto("append", "job-1")
  measured["sink, replace"] = yield* sinkInto("replace", "job-1")
  for (const mode of ["merge", "history"] as const) {
    measured[`sink, ${mode}, first load`] = yield* sinkInto(mode, "job-1")
    measured[`sink, ${mode}, unchanged second load`] = yield* sinkInto(mode, "job-2")
  }
  yield* Effect.forEach((["append", "replace", "merge", "history"] as const).map(schemaOf), drop)
  if (flags.memory) return measured
  for (const [name, { latency, mode }] of Object.entries(endToEnd)) {
    measured[name] = yield* loadEndToEnd(url, `end_${mode.replaceAll(" ", "_")}_${latency}_${number}`, mode, latency)
  }
  const database = yield* inSchema(raw)
  measured["raw COPY (the limit)"] = yield* measure(database, rawLoad(database, folder))
  const naive = yield* measure(database, naiveLoad(database))
  measured["INSERT a row, extrapolated"] = { ...naive, seconds: (naive.seconds / naiveSample) * pages }
  yield* drop(raw)
  return measured
}, Effect.scoped)

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

const bench = Effect.gen(function* () {
  const server = yield* postgresServer
  const url = yield* createDatabase(server)
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "sluice-bench-"))),
    (path) => Effect.promise(() => rm(path, { recursive: true }))
  )
  const bytes = flags.memory ? Number.NaN : yield* Effect.promise(() => encodeFiles(folder))
  yield* Console.log(
    `${pages} pages, ${linksPerPage} links and ${size} bytes of Markdown each, ${perSegment} a segment; ${server.label}; ${rounds} rounds, medians`
  )
  const measured = yield* Effect.forEach(
    Array.from({ length: rounds }, (_, n) => n),
    (n) => round(url, folder, n)
  )
  const of = (name: string, key: keyof Measured) => median(measured.map((one) => one[name]![key]))
  const limit = flags.memory ? Number.NaN : of("raw COPY (the limit)", "seconds")
  for (const name of Object.keys(measured[0]!)) {
    const seconds = of(name, "seconds")
    yield* Console.log(
      [
        name.padEnd(36),
        `${Math.round(pages / seconds)} pages/s`.padStart(14),
        `${(bytes / 1e6 / seconds).toFixed(1)} MB/s`.padStart(12),
        `${(limit / seconds).toFixed(2)} of the limit`.padStart(18),
        `WAL ${Math.round(of(name, "wal"))} MB`.padStart(12),
        `CPU ${of(name, "cpu").toFixed(2)} s`.padStart(12),
        `RSS ${Math.round(of(name, "rss"))} MB`.padStart(12)
      ].join("")
    )
  }
})

await Effect.runPromise(Effect.scoped(bench))
