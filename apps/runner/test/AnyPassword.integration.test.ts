import { writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { Postgres } from "@sluice/sink-postgres"
import { createDatabase, makeSite, Simulator } from "@sluice/testkit"
import { Config, Effect, Redacted } from "effect"
import fc from "fast-check"
import { directory, run } from "./Cli.ts"
import { inProcess } from "./inProcess.ts"

const pipeline = (site: string) => `name: quotes
source:
  crawl: { url: "${site}", limit: 3 }
sinks:
  - postgres: { url: $DATABASE_URL }
`

/** A pipeline, a simulated API, and a database whose role can be given any password. */
const setUp = Effect.gen(function* () {
  const serverUrl = yield* Config.String("TEST_DATABASE_URL")
  const role = `any_${crypto.randomUUID().replaceAll("-", "").slice(0, 12)}`
  const server = yield* Postgres.open({ url: serverUrl })
  yield* Effect.acquireRelease(server.query(`CREATE ROLE ${role} LOGIN`), () =>
    Effect.orDie(server.query(`DROP ROLE ${role}`))
  )
  const ownUrl = yield* createDatabase({ url: serverUrl, label: "" })
  const administrator = yield* Postgres.open({ url: ownUrl })
  yield* administrator.query(`ALTER DATABASE ${new URL(ownUrl).pathname.slice(1)} OWNER TO ${role}`)
  const simulator = yield* Simulator.make({ site: makeSite({ pages: 3 }) })
  const cwd = yield* directory
  const file = join(cwd, "sluice.yaml")
  writeFileSync(file, pipeline("https://site.test/"))
  /** The environment of a process, once the role has this password. */
  const environment = Effect.fnUntraced(function* (password: string) {
    yield* server.query(`ALTER ROLE ${role} PASSWORD '${password.replaceAll("'", "''")}'`)
    const url = new URL(ownUrl)
    url.username = role
    const DATABASE_URL = url.href.replace(/(:\/\/[^@:]*)(:[^@]*)?@/, `$1:${encodeURIComponent(password)}@`)
    return {
      DATABASE_URL,
      SCRAPER_API_BASE_URL: simulator.baseUrl,
      GEONODE_SCRAPER_API_KEY: Redacted.value(simulator.apiKey)
    }
  })
  return { administrator, cwd, environment, file }
})

/** Words of a receipt, and what else would break one. */
const passwordsOf = (receipt: string): fc.Arbitrary<string> => {
  const words = [...new Set(receipt.match(/[A-Za-z_]+|\d+|[^\sA-Za-z_\d]/g))]
  const parts = fc
    .nat(receipt.length - 2)
    .chain((from) => fc.integer({ min: 1, max: 12 }).map((n) => receipt.slice(from, from + n)))
  return (
    fc
      .oneof(
        { weight: 3, arbitrary: fc.constantFrom(...words) },
        { weight: 2, arbitrary: parts },
        {
          weight: 1,
          arbitrary: fc.constantFrom(" ", "\\", '"', "'", ".*", "$&", "null", "true", "{}", '":"', "pä%ss w/örd@?#&=+:")
        },
        { weight: 1, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }) }
      )
      // Both sides of a login normalise a password, and not all characters alike.
      .filter((password) => /^[\x20-\x7e\u00c0-\u024f]+$/.test(password))
  )
}

describe("with any password", { concurrent: true }, () => {
  it.live(
    "what a command prints as JSON is what the ledger holds",
    () =>
      Effect.gen(function* () {
        const { administrator, environment, file } = yield* setUp
        const inLedger = (runId: string) =>
          Effect.map(
            administrator.query("SELECT receipt FROM runs WHERE run_id = $1", [runId]),
            ([row]) => row?.receipt
          )
        const first = yield* inProcess(["run", file, "--json"], yield* environment("canary-password-1"))
        const passwords = fc.sample(passwordsOf(first.stdout), { numRuns: 12, seed: 20261130 })
        for (const password of ["completed", "1", "postgres", "sluice", ...passwords]) {
          const env = yield* environment(password)
          const finished = yield* inProcess(["run", file, "--json"], env)
          assert.strictEqual(finished.code, 0, `${password}: ${finished.stderr}`)
          assert.strictEqual(finished.stderr, "", password)
          const receipt: Receipt = JSON.parse(finished.stdout)
          assert.deepStrictEqual(receipt, yield* inLedger(receipt.run_id), password)
          const listed = yield* inProcess(["runs", file, "--json", "--limit", "1"], env)
          assert.deepInclude(JSON.parse(listed.stdout)[0], { run_id: receipt.run_id, status: "completed", pages: 3 })
          const rows = yield* inProcess(
            ["query", "--pipeline", file, "--json", "SELECT status, count(*) FROM pages GROUP BY 1"],
            env
          )
          assert.deepStrictEqual(JSON.parse(rows.stdout), [{ status: "completed", count: 3 }], password)
          const audited = yield* inProcess(["audit", receipt.run_id, file, "--json"], env)
          assert.deepStrictEqual(audited, { code: 0, stdout: "", stderr: "" }, password)
        }
      }),
    240_000
  )

  it.live(
    "the command itself prints the receipt whole",
    () =>
      Effect.gen(function* () {
        const { administrator, cwd, environment } = yield* setUp
        const finished = yield* run(["run", "--json"], { cwd, alone: true, env: yield* environment("completed") })
        const receipt: Receipt = JSON.parse(finished.stdout)
        const [row] = yield* administrator.query("SELECT receipt FROM runs")
        assert.deepStrictEqual(receipt, row?.receipt)
        assert.strictEqual(receipt.status, "completed")
      }),
    120_000
  )
})

/** A server that asks for the password in the clear and quotes it in its refusal, in several forms. */
const quotingServer = Effect.gen(function* () {
  const server = createServer((socket) => {
    const message = (type: string, body: Buffer): Buffer => {
      const head = Buffer.alloc(5)
      head.write(type)
      head.writeInt32BE(body.length + 4, 1)
      return Buffer.concat([head, body])
    }
    socket.on("error", () => {})
    socket.on("data", (data) => {
      if (data[0] === 0x70) {
        const password = data.toString("utf8", 5, data.length - 1)
        const forms = [
          password,
          JSON.stringify(password),
          encodeURIComponent(password),
          Buffer.from(`me:${password}`).toString("base64")
        ]
        const text = `no entry for ${forms.join(" or ")}`
        socket.end(message("E", Buffer.from(`SFATAL\0C28000\0M${text}\0\0`)))
      } else if (data.readInt32BE(4) === 80877103) socket.write("N")
      else socket.write(message("R", Buffer.from([0, 0, 0, 3])))
    })
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () => Effect.sync(() => server.close())
  )
  const address = server.address()
  return address !== null && typeof address === "object" ? address.port : 0
})

describe("a database that quotes the password", () => {
  it.live(
    "is told without it, in whatever form it was",
    () =>
      Effect.gen(function* () {
        const port = yield* quotingServer
        const cwd = yield* directory
        const file = join(cwd, "sluice.yaml")
        writeFileSync(file, pipeline("https://quotes.example/"))
        for (const password of ['canary "quoted"/pä%s', "plain-canary", "completed"]) {
          const DATABASE_URL = `postgres://me:${encodeURIComponent(password)}@127.0.0.1:${port}/x`
          for (const args of [
            ["run", file, "--json"],
            ["runs", file],
            ["query", "--pipeline", file, "SELECT 1"],
            ["migrate", file]
          ]) {
            const { code, stderr, stdout } = yield* inProcess([...args, "--log-level", "all"], { DATABASE_URL })
            assert.strictEqual(code, 1, stderr)
            assert.include(stderr, "no entry for <redacted>")
            for (const form of [
              password,
              JSON.stringify(password).slice(1, -1),
              encodeURIComponent(password),
              Buffer.from(`me:${password}`).toString("base64").slice(0, -4)
            ]) {
              assert.notInclude(stderr + stdout, form, args.join(" "))
            }
          }
        }
      }),
    120_000
  )
})
