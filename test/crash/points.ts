import { type Ledger, Scraper, type Sink } from "@sluice/core"
import { Effect, Layer } from "effect"
import type { Executioner } from "./Executioner.ts"
import type { Kind } from "./Work.ts"

/** The named instants a process can be killed at, in the order a run meets them. */
export const points = [
  "before intent",
  "after intent",
  "after post",
  "after job id",
  "before read",
  "after read",
  "before write",
  "in transaction, before commit record",
  "in transaction, after commit record",
  "after write",
  "before publish",
  "before end",
  "after end",
  "at renewal"
] as const
export type Point = (typeof points)[number]

const ofSubmissions: ReadonlySet<Point> = new Set(["before intent", "after intent", "after post", "after job id"])
const ofTheEnd: ReadonlySet<Point> = new Set(["before publish", "before end", "after end"])

/** Whether a run meets an instant again and again: a crawl submits once, and every run ends once. */
export const isRecurring = (kind: Kind, point: Point): boolean =>
  !ofTheEnd.has(point) && !(kind === "crawl" && ofSubmissions.has(point))

const around = <A, E>(before: Effect.Effect<void>, work: Effect.Effect<A, E>, after: Effect.Effect<void>) =>
  Effect.andThen(before, work).pipe(Effect.tap(after))

/** The sink with points around what it writes, and around what its ledger does. */
export const perilousSink = (sink: Sink, { at }: Executioner<Point>): Sink => ({
  ...sink,
  connect: Effect.map(sink.connect, (connection) => ({
    ledger: connection.ledger === undefined ? undefined : perilousLedger(connection.ledger, at),
    begin: (run) =>
      Effect.map(connection.begin(run), (session) => ({
        concurrency: session.concurrency,
        publish: Effect.andThen(at("before publish"), session.publish),
        write: (segment, commit) =>
          around(
            at("before write"),
            session.write(segment, {
              store: commit.store,
              run: (result, within) =>
                around(
                  at("in transaction, before commit record"),
                  commit.run(result, within),
                  at("in transaction, after commit record")
                )
            }),
            at("after write")
          )
      }))
  }))
})

const perilousLedger = (ledger: Ledger, at: Executioner<Point>["at"]): Ledger => ({
  ...ledger,
  recordIntent: (run, intent) => around(at("before intent"), ledger.recordIntent(run, intent), at("after intent")),
  recordJob: (run, ordinal, jobId) =>
    around(at("after post"), ledger.recordJob(run, ordinal, jobId), at("after job id")),
  renew: (run, lease) => around(at("at renewal"), ledger.renew(run, lease), Effect.void),
  end: (run, receipt) => around(at("before end"), ledger.end(run, receipt), at("after end"))
})

/** The client with points around each read of a job. */
export const perilousScraper = ({ at }: Executioner<Point>): Layer.Layer<Scraper, never, Scraper> => {
  const read = <A, E>(work: Effect.Effect<A, E>) => around(at("before read"), work, at("after read"))
  return Layer.effect(
    Scraper,
    Effect.map(Scraper, (scraper) =>
      Scraper.of({
        ...scraper,
        getCrawl: (jobId, slice) => read(scraper.getCrawl(jobId, slice)),
        getBatch: (jobId, slice) => read(scraper.getBatch(jobId, slice)),
        getExtraction: (jobId) => read(scraper.getExtraction(jobId))
      })
    )
  )
}
