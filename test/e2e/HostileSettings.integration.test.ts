import { assert, describe, layer } from "@effect/vitest"
import { type OwnPostgres, ownPostgres, pooler, poolerPath, sampleSeed } from "@sluice/testkit"
import { Context, Effect, Layer } from "effect"
import { hostileCases, hostileDatabase } from "./hostileDatabase.ts"
import { killedThrough } from "./killedThrough.ts"
import { livedThrough, pagesOfLife } from "./livedThrough.ts"

const isLong = process.env.SLUICE_LONG_TESTS !== undefined
const withoutPooler = poolerPath === undefined ? " (skipped: PgBouncer is not installed)" : ""

/** A server whose roles and databases may have any settings. */
class Server extends Context.Service<Server, OwnPostgres>()("@sluice/test/e2e/HostileSettings") {
  static readonly layer = Layer.effect(this, ownPostgres({ settings: ["max_connections=100"] }))
}

describe("settings of a role and of a database", { concurrent: true }, () => {
  layer(Server.layer, { excludeTestServices: true })((it) => {
    it.effect(
      "never change what is read or written: run, resume, query, runs, audit and replay are those of the default",
      () =>
        Effect.gen(function* () {
          const server = yield* Server
          const expected = yield* livedThrough(yield* hostileDatabase(server.url, []))
          assert.strictEqual(expected.receipt.pages.completed + expected.receipt.pages.failed, pagesOfLife)
          assert.isNotEmpty(expected.letters)
          for (const settings of hostileCases(isLong)) {
            const lived = yield* livedThrough(yield* hostileDatabase(server.url, settings))
            assert.deepStrictEqual(lived, expected, JSON.stringify(settings))
          }
        }),
      600_000
    )

    it.effect.skipIf(poolerPath === undefined)(
      `never change it through a pooler of transactions either${withoutPooler}`,
      () =>
        Effect.gen(function* () {
          const server = yield* Server
          const through = Effect.fnUntraced(function* (settings: ReadonlyArray<readonly [string, string]>) {
            const url = yield* hostileDatabase(server.url, settings)
            const route = yield* pooler({ url, label: "" })
            return yield* livedThrough(route(url))
          })
          const expected = yield* through([])
          for (const settings of hostileCases(isLong)) assert.deepStrictEqual(yield* through(settings), expected)
        }),
      600_000
    )

    it.effect(
      `never change what the command line does after a run was killed by SIGKILL, directly and pooled${withoutPooler}`,
      () =>
        Effect.gen(function* () {
          const server = yield* Server
          const killed = Effect.fnUntraced(function* (
            settings: Parameters<typeof hostileDatabase>[1],
            pooled: boolean
          ) {
            const url = yield* hostileDatabase(server.url, settings)
            const route = pooled ? yield* pooler({ url, label: "" }) : (direct: string) => direct
            return yield* killedThrough({ direct: url, url: route(url) })
          }, Effect.scoped)
          const expected = yield* killed([], false)
          assert.isNotEmpty(expected.letters)
          // A life takes six processors' seconds: the suite takes one of the cases, by its seed, and a soak all of them.
          const cases = hostileCases(isLong).filter((_, at) => isLong || at === sampleSeed % 2)
          const routes = poolerPath === undefined ? [false] : [false, true]
          const lives = cases.flatMap((settings) => routes.map((pooled) => ({ settings, pooled })))
          yield* Effect.forEach(
            lives,
            ({ pooled, settings }) =>
              Effect.map(killed(settings, pooled), (life) =>
                assert.deepStrictEqual(life, expected, `${pooled ? "pooled" : "direct"}: ${JSON.stringify(settings)}`)
              ),
            { concurrency: 2, discard: true }
          )
        }),
      3 * 3_600_000
    )
  })
})
