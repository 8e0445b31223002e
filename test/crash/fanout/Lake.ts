import { Directory, S3 } from "@sluice/sink-s3"
import { createS3Bucket, type S3Server } from "@sluice/testkit/s3"
import { Effect, Redacted, Stream } from "effect"
import { directoryStore } from "../../../packages/sink-s3/src/DirectoryStore.ts"
import type { ObjectStore } from "../../../packages/sink-s3/src/ObjectStore.ts"
import { openS3Store } from "../../../packages/sink-s3/src/openS3Store.ts"
import { withS3Defaults } from "../../../packages/sink-s3/src/S3SinkConfig.ts"
import { folder } from "../../../packages/sink-s3/test/folder.ts"
import { type Lake, type ReadObject, readLake } from "../../../packages/sink-s3/test/readLake.ts"
import { pageLine } from "../Work.ts"
import type { Errand } from "./Errand.ts"

/** What a lake is to be. */
export interface LakeShape {
  readonly where: "s3" | "directory"
  readonly format: "jsonl" | "parquet"
  readonly mode: "append" | "replace"
  readonly compression?: "none"
}

/** What readers of a lake see. */
export interface LakeView {
  /** Runs that are published, the oldest first. */
  readonly runs: ReadonlyArray<string>
  readonly pages: ReadonlyArray<string>
  readonly tokens: number
}

const viewOf = ({ rows, runs }: Lake): LakeView => {
  const links = new Map<string, number>()
  for (const { job_id, page_key } of rows("links")) {
    links.set(`${job_id} ${page_key}`, (links.get(`${job_id} ${page_key}`) ?? 0) + 1)
  }
  return {
    runs: runs.map(({ run_id }) => run_id),
    pages: rows("pages")
      .map(({ input_index, job_id, page_key, url }) =>
        pageLine(String(url), input_index as number | null, links.get(`${job_id} ${page_key}`) ?? 0)
      )
      .sort(),
    tokens: rows("token_summaries").reduce((sum, { tokens_charged }) => sum + Number(tokens_charged), 0)
  }
}

const readerOf =
  (store: ObjectStore): ReadObject =>
  (key) =>
    Effect.runPromise(store.read(key))

/** A bucket's settings as a process is told them. */
export const bucketOf = Effect.fnUntraced(function* (server: S3Server) {
  return {
    bucket: yield* createS3Bucket(server),
    endpoint: server.endpoint,
    region: server.region,
    access_key_id: server.accessKeyId,
    secret_access_key: Redacted.value(server.secretAccessKey)
  }
})

/** A fresh lake of a pipeline that outlives the processes that write to it. */
export const openLake = Effect.fnUntraced(function* (
  server: S3Server,
  pipeline: string,
  { where, ...written }: LakeShape
) {
  const shape = { name: "lake", ...written }
  const s3 = { ...(yield* bucketOf(server)), ...shape }
  const directory = { path: yield* folder, ...shape }
  const store = where === "s3" ? yield* Effect.orDie(openS3Store(withS3Defaults(s3))) : directoryStore(directory.path)
  const read = readerOf(store)
  const seen = new Map<string, LakeView>()
  // Parts never change under a name, and to read them is most of the work of a case.
  const view = Effect.promise(async () => {
    const bytes = await read(`_sluice/pipeline=${pipeline}/latest.json`)
    const pointer = bytes === undefined ? "" : Buffer.from(bytes).toString()
    const known = seen.get(pointer) ?? viewOf(await readLake(read, pipeline))
    seen.set(pointer, known)
    return known
  })

  /** What a collection leaves that no reader is shown, or takes that one is. */
  const orphans = Effect.gen(function* () {
    const all = { pipeline, isKept: () => Effect.succeed(false), olderThan: -60_000 }
    const { uploads } = yield* where === "s3" ? S3.collectGarbage(s3, all) : Directory.collectGarbage(directory, all)
    const { runs } = yield* Effect.promise(() => readLake(read, pipeline))
    const shown = new Set<string>()
    for (const { manifest } of runs) {
      shown.add(manifest)
      const bytes = yield* store.read(manifest)
      for (const { key } of JSON.parse(Buffer.from(bytes!).toString()).parts) shown.add(key)
    }
    const keys = (yield* Stream.runCollect(store.list(""))).map(({ key }) => key)
    return {
      uploads,
      left: keys.filter((key) => !shown.has(key) && !key.includes("/latest.json")),
      missing: [...shown].filter((key) => !keys.includes(key))
    }
  }).pipe(Effect.orDie)

  const settings: (typeof Errand.Encoded)["lake"] = where === "s3" ? { s3 } : { directory }
  return { settings, view, orphans }
})
