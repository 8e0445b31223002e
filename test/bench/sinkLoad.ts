import type { PageRecord } from "@sluice/core"
import { type JobSnapshot, type Segment, tallyOf } from "@sluice/core/sink"
import { Postgres } from "@sluice/sink-postgres"
import { Effect, Stream } from "effect"
import { measure } from "./measured.ts"
import type { Segments } from "./segments.ts"

/** How the sink is given its segments. */
export interface SinkLoad {
  readonly url: string
  readonly schema: string
  readonly mode: "append" | "merge" | "replace" | "history"
  readonly jobId: string
  readonly segments: Segments
  /** Whether each segment is made when it is written, as in a crawl, and not all before the clock starts. */
  readonly isMadeInTime: boolean
}

const snapshot = (jobId: string): JobSnapshot => ({
  jobId,
  kind: "crawl",
  url: "https://site.example/",
  status: "completed",
  discovered: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  tokensCharged: 0,
  tokensReserved: 0,
  observedAt: 1_700_000_000_000
})

const lease = { holder: "host/1/test", durationMs: 60_000 }

const recordsOf = ({ isMadeInTime, jobId, segments }: SinkLoad): ((seq: number) => ReadonlyArray<PageRecord>) => {
  if (isMadeInTime) return (seq) => segments.of(jobId, seq)
  const made = Array.from({ length: segments.count }, (_, seq) => segments.of(jobId, seq))
  return (seq) => made[seq]!
}

/** The sink alone: its segments and their commits, from records that are there. */
export const loadSink = (load: SinkLoad) =>
  Effect.gen(function* () {
    const { jobId, mode, schema, segments, url } = load
    const { ledger, begin } = yield* Postgres.sink({ url, schema, mode }).connect
    const database = yield* Postgres.open({ url, schema })
    const records = recordsOf(load)
    const run = yield* ledger!.begin({ pipeline: "bench", configHash: "", startedAt: 1_700_000_000_000 }, lease)
    const session = yield* begin(run)
    const { runId, epoch } = run
    const write = (seq: number) => {
      const batch = records(seq)
      const keys = [{ jobId, keys: BigInt64Array.from(batch, ({ key }) => key) }]
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
    }
    return yield* measure(
      database,
      Stream.range(0, segments.count - 1).pipe(
        Stream.mapEffect(write, { concurrency: session.concurrency }),
        Stream.runDrain
      )
    )
  }).pipe(Effect.scoped)
