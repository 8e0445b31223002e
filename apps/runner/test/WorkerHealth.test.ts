import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { deadAfterMs, serveHealth } from "../src/worker/healthServer.ts"
import { attemptEnded, makeWorkerHealth, ticksDecided } from "../src/worker/WorkerHealth.ts"

const loopback = { host: "127.0.0.1", port: 0 }

const get = (url: string) =>
  Effect.promise(async () => {
    const response = await fetch(url)
    return { status: response.status, text: (await response.text()).trimEnd() }
  })

describe("the probes of a worker", () => {
  it.live("tell a worker that works from one that stopped, and one whose database is away", () =>
    Effect.gen(function* () {
      const health = makeWorkerHealth(2)
      const address = yield* serveHealth(health, loopback)
      const live = get(`${address}/livez`)
      const ready = get(`${address}/readyz`)
      assert.deepStrictEqual(yield* ready, { status: 503, text: "2 of 2 databases do not answer" })
      health.databases.set(0, { askedAt: Date.now(), hasAnswered: true })
      health.databases.set(1, { askedAt: Date.now(), hasAnswered: false })
      assert.deepStrictEqual(yield* live, { status: 200, text: "ok" })
      assert.deepStrictEqual(yield* ready, { status: 503, text: "1 of 2 databases do not answer" })
      health.databases.set(1, { askedAt: Date.now(), hasAnswered: true })
      assert.deepStrictEqual(yield* ready, { status: 200, text: "ok" })
      health.databases.set(0, { askedAt: Date.now() - deadAfterMs - 1, hasAnswered: true })
      assert.strictEqual((yield* live).status, 503)
      assert.strictEqual((yield* get(`${address}/`)).status, 404)
    })
  )

  it.live("and its metrics are Prometheus's, without a name of a pipeline", () =>
    Effect.gen(function* () {
      const health = makeWorkerHealth(1)
      const address = yield* serveHealth(health, loopback)
      health.running = 3
      health.oldestDueAt = Date.now() - 60_000
      yield* attemptEnded("Begin", 0)
      yield* ticksDecided("due", 2)
      const { status, text } = yield* get(`${address}/metrics`)
      assert.strictEqual(status, 200)
      assert.match(text, /^sluice_worker_runs_in_progress 3$/m)
      assert.match(text, /^sluice_worker_databases_unreachable 1$/m)
      assert.match(text, /^sluice_worker_attempts_total\{action="Begin",exit_code="0"\} \d+$/m)
      assert.match(text, /^sluice_worker_ticks_total\{state="due"\} \d+$/m)
      const age = Number(/^sluice_worker_oldest_tick_age_seconds (\S+)$/m.exec(text)?.[1])
      assert.isTrue(age >= 60 && age < 120, `${age}`)
    })
  )

  it.live("say when the port is taken", () =>
    Effect.gen(function* () {
      const address = yield* serveHealth(makeWorkerHealth(1), loopback)
      const port = Number(new URL(address).port)
      const error = yield* Effect.flip(serveHealth(makeWorkerHealth(1), { ...loopback, port }))
      assert.strictEqual(
        error.message,
        `127.0.0.1:${port} cannot be listened on: another process has it, or it is not an address of this machine`
      )
    })
  )
})
