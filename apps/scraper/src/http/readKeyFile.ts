import { Effect, Option, Schema } from "effect"
import { type HashedKey, ScraperStartError } from "../ScraperConfig.ts"
import { readText } from "../state/Files.ts"

const limit = Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)))

const Entry = Schema.Struct({
  key: Schema.String.check(
    Schema.isPattern(/^sha256:[0-9a-f]{64}$/, { message: "Expected sha256: and 64 hexadecimal digits" })
  ),
  name: Schema.optionalKey(Schema.String),
  max_open_jobs: limit,
  requests_per_minute: limit,
  token_balance: limit,
  max_crawl_depth: limit,
  max_batch_urls: limit
})

const KeyFile = Schema.fromJsonString(Schema.Struct({ keys: Schema.Array(Entry) }))

/**
 * Reads the keys of a file, each with limits of its own. It holds only hashes, so a reader of the file cannot call.
 * `name` is a note for people.
 */
export const readKeyFile = Effect.fn("keyFile.readKeyFile")(function* (
  path: string
): Effect.fn.Return<ReadonlyArray<HashedKey>, ScraperStartError> {
  const text = yield* Effect.mapError(
    readText(path),
    (cause) => new ScraperStartError({ message: `The key file ${path} cannot be read`, cause })
  )
  if (Option.isNone(text)) {
    return yield* new ScraperStartError({ message: `The key file ${path} does not exist`, cause: null })
  }
  const { keys } = yield* Effect.mapError(
    Schema.decodeEffect(KeyFile, { onExcessProperty: "error" })(text.value),
    // Without the cause: it shows what the file holds.
    () =>
      new ScraperStartError({
        message: `The key file ${path} must be {"keys": [{"key": "sha256:<64 hexadecimal digits>"}, ...]}, beside each key no other than its limits`,
        cause: null
      })
  )
  return keys.map((entry) => ({
    sha256: entry.key.slice("sha256:".length),
    ...(entry.max_open_jobs === undefined ? {} : { maxOpenJobsPerKey: entry.max_open_jobs }),
    ...(entry.requests_per_minute === undefined ? {} : { requestsPerMinute: entry.requests_per_minute }),
    ...(entry.token_balance === undefined ? {} : { tokenBalance: entry.token_balance }),
    ...(entry.max_crawl_depth === undefined ? {} : { maxCrawlDepth: entry.max_crawl_depth }),
    ...(entry.max_batch_urls === undefined ? {} : { maxBatchUrls: entry.max_batch_urls })
  }))
})
