import { createHash } from "node:crypto"
import { Context, Effect, Layer, Redacted } from "effect"
import { type KeyLimits, ScraperStartError, ServerSettings, type Settings } from "../ScraperConfig.ts"

/** A key that may call. `id` is the start of its hash: what is made with a key stays with it over restarts. */
export interface KnownKey {
  readonly id: string
  readonly hash: Buffer
  readonly limits: KeyLimits
}

/** The SHA-256 of a key, which is all that is kept of it. */
export const digestOf = (key: Redacted.Redacted<string>): Buffer =>
  createHash("sha256").update(Redacted.value(key)).digest()

/** The keys that may call, and what each may do. They are read once, at start. */
export class ApiKeys extends Context.Service<
  ApiKeys,
  {
    readonly keys: ReadonlyArray<KnownKey>
    /** The limits of a key; those of the server for one that is not there any more. */
    readonly limitsOf: (owner: string) => KeyLimits
  }
>()("@sluice/scraper/http/ApiKeys") {
  static readonly layer: Layer.Layer<ApiKeys, ScraperStartError, ServerSettings> = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const standard = limitsFrom(settings)
      const known = new Map<string, KnownKey>()
      for (const { hash, limits } of [
        ...settings.apiKeys.map((key) => ({ hash: digestOf(key), limits: {} })),
        ...settings.hashedKeys.map(({ sha256, ...limits }) => ({ hash: Buffer.from(sha256, "hex"), limits }))
      ]) {
        const id = hash.toString("hex").slice(0, 32)
        if (hash.length !== 32) return yield* refused("A hashed key is not a SHA-256 of 64 hexadecimal digits")
        if (known.has(id)) return yield* refused("A key is given twice")
        known.set(id, { id, hash, limits: { ...standard, ...limits } })
      }
      if (known.size === 0) return yield* refused("At least one API key is needed")
      return ApiKeys.of({ keys: [...known.values()], limitsOf: (owner) => known.get(owner)?.limits ?? standard })
    })
  )
}

const refused = (message: string) => new ScraperStartError({ message, cause: null })

const limitsFrom = ({
  maxBatchUrls,
  maxCrawlDepth,
  maxOpenJobsPerKey,
  requestsPerMinute,
  tokenBalance
}: Settings): KeyLimits => ({ maxBatchUrls, maxCrawlDepth, maxOpenJobsPerKey, requestsPerMinute, tokenBalance })
