import { spawn } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { request } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { socketOf } from "../src/database/ReadSocket.ts"
import { Postgres } from "../src/index.ts"

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-socket-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const lease = { holder: "host/1/x", durationMs: 60_000 }

/** What another process reads of a directory that this one holds. */
const readElsewhere = (path: string) =>
  Effect.promise(async () => {
    const program = `
      import { Effect } from "effect"
      import { Postgres } from "@sluice/sink-postgres"
      const read = Effect.gen(function* () {
        const database = yield* Postgres.openReader({ directory: ${JSON.stringify(path)} })
        const ledger = Postgres.ledger(database)
        const [run] = yield* ledger.runs({ limit: 5 })
        const state = yield* ledger.state(run.runId)
        const refused = yield* Effect.flip(ledger.begin({ pipeline: "other", configHash: "", startedAt: 0 }, ${JSON.stringify(lease)}))
        const unknown = yield* Effect.flip(database.query("SELECT 1"))
        return { run, lastSeq: state.lastSeq, refused: refused.message, unknown: unknown.message }
      }).pipe(Effect.scoped)
      console.log(JSON.stringify(await Effect.runPromise(read)))`
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: import.meta.dirname,
      stdio: ["ignore", "pipe", "pipe"]
    })
    const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)])
    assert.strictEqual(error, "")
    return JSON.parse(out)
  })

describe("an embedded database that a process holds", { concurrent: true }, () => {
  it.live(
    "shows its runs to another process, below a path of any length, and nothing else",
    () =>
      Effect.gen(function* () {
        const path = join(yield* directory, "d".repeat(60), "e".repeat(60), "postgres")
        mkdirSync(path, { recursive: true })
        // What a process leaves that was killed.
        writeFileSync(socketOf(path), "")
        yield* Effect.scoped(
          Effect.gen(function* () {
            const database = yield* Postgres.open({ directory: path })
            yield* Postgres.migrate(database)
            const run = yield* Postgres.ledger(database).begin(
              { pipeline: "p", configHash: "h", startedAt: 1_000 },
              lease
            )
            assert.strictEqual(statSync(socketOf(path)).mode & 0o777, 0o600)
            const seen = yield* readElsewhere(path)
            assert.deepInclude(seen.run, { runId: run.runId, pipeline: "p", status: "running", startedAt: 1_000 })
            assert.strictEqual(seen.lastSeq, 0)
            assert.match(seen.refused, /is in use by a process that only shows its runs/)
            assert.match(seen.unknown, /did not answer/)
            assert.lengthOf(yield* Postgres.ledger(database).runs({ limit: 5 }), 1)
          })
        )
        assert.isFalse(existsSync(socketOf(path)))
        // Nobody holds it now: a reader opens it itself.
        const listed = yield* Effect.scoped(
          Effect.flatMap(Postgres.openReader({ directory: path }), (database) =>
            Postgres.ledger(database).runs({ limit: 5 })
          )
        )
        assert.lengthOf(listed, 1)
      }),
    120_000
  )

  it.live(
    "answers no question that is too large or malformed, and goes on answering",
    () =>
      Effect.gen(function* () {
        const path = join(yield* directory, "postgres")
        yield* Postgres.open({ directory: path })
        const ask = (body: string, headers: Record<string, string> = {}) =>
          Effect.promise(
            () =>
              new Promise<number>((resolve, reject) => {
                const asked = request(
                  { socketPath: socketOf(path), method: "POST", agent: false, headers },
                  (response) => {
                    response.resume()
                    resolve(response.statusCode ?? 0)
                  }
                )
                asked.once("error", reject)
                asked.end(body)
              })
          )
        const question = JSON.stringify({ schema: "public", sql: "", parameters: [] })
        assert.strictEqual(yield* ask(question, { "content-length": `${question.length}` }), 200)
        assert.strictEqual(yield* ask("{", { "content-length": "1" }), 500)
        assert.strictEqual(yield* ask("x".repeat(70_000), { "content-length": "70000" }), 413)
        const drop = JSON.stringify({ schema: "public", sql: "DROP TABLE runs", parameters: [] })
        assert.strictEqual(yield* ask(drop, { "content-length": `${drop.length}` }), 500)
        assert.strictEqual(yield* ask(question, { "content-length": `${question.length}` }), 200)
      }).pipe(Effect.scoped),
    120_000
  )
})
