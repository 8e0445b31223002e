import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Redacted, Scope } from "effect"
import { HttpGet } from "../src/net/HttpGet.ts"
import { TargetAgent } from "../src/net/TargetAgent.ts"
import { ServerSettings, withDefaults } from "../src/ScraperConfig.ts"
import { testSite } from "./TestSite.ts"

const MiB = 1024 * 1024
const Settings = Layer.succeed(
  ServerSettings,
  withDefaults({
    apiKeys: [Redacted.make("k")],
    allowPrivateTargets: true,
    hostConcurrency: 8,
    maxPageBytes: MiB,
    bodyBudgetBytes: 2 * MiB
  })
)
const Get = HttpGet.layer.pipe(Layer.provide(TargetAgent.layer), Layer.provide(Settings))

describe("HttpGet", () => {
  it.live("holds no more large bodies than there is room for, and small ones all the same", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/large": "x".repeat(MiB / 2), "/small": "x".repeat(1000) })
      const http = yield* HttpGet
      const bytes = (path: string) =>
        http
          .get(site.url(path), {
            headers: {},
            maxBytes: MiB,
            beyondMax: "fail",
            judge: () => "read",
            sent: () => undefined
          })
          .pipe(Effect.map(({ body }) => body.byteLength))
      const scopes = yield* Effect.all([Scope.make(), Scope.make()])
      for (const scope of scopes) assert.strictEqual(yield* Scope.provide(bytes("/large"), scope), MiB / 2)
      const third = yield* Effect.forkChild(Effect.scoped(bytes("/large")))
      for (let n = 0; n < 20; n++) assert.strictEqual(yield* Effect.scoped(bytes("/small")), 1000)
      assert.strictEqual(site.hits("/large"), 3)
      assert.isUndefined(third.pollUnsafe())
      yield* Scope.close(scopes[0], Exit.void)
      assert.strictEqual(yield* Fiber.join(third), MiB / 2)
      assert.strictEqual(yield* Effect.scoped(bytes("/large")), MiB / 2)
      yield* Scope.close(scopes[1], Exit.void)
    }).pipe(Effect.provide(Get))
  )
})
