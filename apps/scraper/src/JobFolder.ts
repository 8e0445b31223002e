import { Effect, Option, Schema, Semaphore } from "effect"
import { makeDirectory, namesIn, pathOf, readText, removePath, type StoreError, writeAtomic } from "./Files.ts"
import { expired, type Job } from "./Job.ts"

/** The jobs of one kind: a directory each, with the manifest `job.json`, and all manifests in memory. */
export interface JobFolder<J extends Job> {
  readonly jobs: ReadonlyMap<string, J>
  readonly directory: (id: string) => string
  /** The number of the next job, in the order of their making. */
  readonly nextSeq: () => number
  /** Makes the directory of a new job. It is a job once its manifest is written: without one it is deleted at start. */
  readonly prepare: (id: string) => Effect.Effect<string, StoreError>
  /** Writes the first manifest of a job, and deletes the oldest finished jobs beyond the limit. */
  readonly add: (job: J) => Effect.Effect<void, StoreError>
  /** Replaces a manifest, in memory at once and then on disk. */
  readonly put: (job: J) => Effect.Effect<void, StoreError>
  /** Replaces a manifest in memory alone: for what a restart would undo anyway. */
  readonly hold: (job: J) => void
}

/** Opens a folder of jobs, of which the newest `retain` that have ended are kept. */
export const openJobFolder = Effect.fnUntraced(function* <J extends Job, E>(
  root: string,
  schema: Schema.Codec<J, E>,
  retain: number
): Effect.fn.Return<JobFolder<J>, StoreError> {
  const Manifest = Schema.fromJsonString(schema)
  const decode = Schema.decodeUnknownOption(Manifest)
  const encode = Schema.encodeEffect(Manifest)
  const jobs = new Map<string, J>()
  const directory = (id: string) => pathOf(root, id)
  const manifest = (id: string) => pathOf(root, id, "job.json")

  for (const id of yield* namesIn(root)) {
    const job = Option.flatMap(yield* readText(manifest(id)), decode)
    // Without a manifest the job was never answered for: it was cut off while it was made.
    if (Option.isNone(job)) yield* removePath(directory(id))
    else jobs.set(id, job.value)
  }
  let seq = Math.max(0, ...Array.from(jobs.values(), (job) => job.seq))

  const writing = yield* Semaphore.make(1)
  // Writes what is in memory when its turn has come, so an older manifest never replaces a newer one.
  const write = Effect.fnUntraced(function* (id: string) {
    const job = jobs.get(id)
    if (job !== undefined) yield* writeAtomic(manifest(id), yield* Effect.orDie(encode(job)))
  }, writing.withPermits(1))

  const sweep = Effect.suspend(() =>
    Effect.forEach(
      expired(jobs.values(), retain),
      (job) => {
        jobs.delete(job.id)
        return removePath(directory(job.id))
      },
      { discard: true }
    )
  )
  yield* sweep

  const put = Effect.fnUntraced(function* (job: J) {
    jobs.set(job.id, job)
    yield* write(job.id)
  })

  return {
    jobs,
    directory,
    nextSeq: () => ++seq,
    prepare: (id) => Effect.as(makeDirectory(directory(id)), directory(id)),
    add: (job) => Effect.andThen(put(job), sweep),
    put,
    hold: (job) => void jobs.set(job.id, job)
  }
})
