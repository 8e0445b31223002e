import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, type Scope } from "effect"
import { createS3Bucket, s3Client } from "../S3Bucket.ts"
import type { S3Endpoint } from "../S3Endpoint.ts"
import { conditionChecks } from "./conditionChecks.ts"
import { listingChecks } from "./listingChecks.ts"
import { multipartChecks } from "./multipartChecks.ts"
import { objectChecks } from "./objectChecks.ts"
import type { S3Check } from "./S3UnderCheck.ts"

const checks = { ...objectChecks, ...conditionChecks, ...multipartChecks, ...listingChecks }

/** The name of one of the suite's checks. */
export type S3CheckName = keyof typeof checks

/** What a server does otherwise: the checks it fails, and what each says then. */
export type S3Deviations = { readonly [name in S3CheckName]?: string }

/**
 * What a sink needs of an S3 server, checked with AWS's own client. Each check gets a bucket of its own. A check that
 * is known to fail has to fail in the known way: an answer such as `412 PreconditionFailed`, or a part of what it says.
 */
export const s3Suite = <E>(
  name: string,
  make: Effect.Effect<S3Endpoint, E, Scope.Scope>,
  deviations: S3Deviations = {}
): void => {
  describe(`${name}: what a sink needs of S3`, () => {
    for (const [title, check] of Object.entries<S3Check>(checks)) {
      it.live(title, () =>
        Effect.gen(function* () {
          const server = yield* make
          const known = deviations[title as S3CheckName]
          const s3 = { server, client: yield* s3Client(server), bucket: yield* createS3Bucket(server) }
          if (known === undefined) return yield* check(s3)
          const exit = yield* Effect.exit(check(s3))
          assert.isTrue(Exit.isFailure(exit), `passes, where "${known}" was known`)
          if (Exit.isFailure(exit)) assert.include(Cause.pretty(exit.cause), known)
        })
      )
    }
  })
}
