import { describe, it } from "@effect/vitest"
import { S3, type S3SinkOptions } from "@sluice/sink-s3"
import { sinkSuite } from "@sluice/testkit"
import { s3Server } from "@sluice/testkit/s3"
import { Effect } from "effect"
import { bucketOn } from "./Bucket.ts"
import { landed } from "./readLake.ts"
import { storeCourse } from "./storeCourse.ts"

const under = (given: Partial<S3SinkOptions>) =>
  Effect.gen(function* () {
    const { options, read } = yield* bucketOn(yield* s3Server)
    return {
      sink: S3.sink({ ...options, ...given }),
      read: landed(read),
      keeps: given.mode === "replace" ? ("the last run" as const) : ("every delivery" as const)
    }
  })

// A gateway takes its time for each request, and serves many at once.
describe("a server of S3", { concurrent: true }, () => {
  sinkSuite("S3, append, JSON Lines (gzip)", under({}))
  sinkSuite("S3, replace, Parquet (zstd)", under({ mode: "replace", format: "parquet" }))

  it.live("serves runs, audits and gc", () =>
    Effect.gen(function* () {
      const { options, read } = yield* bucketOn(yield* s3Server)
      yield* storeCourse(options, read)
    })
  )
})
