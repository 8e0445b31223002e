import { dirname, join } from "node:path"
import { Worker } from "node:worker_threads"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { bundles } from "../setup/bundles.ts"

describe("the program of the threads that convert pages", () => {
  it.live("works in a bundle of its own, beside that of the server", () =>
    Effect.gen(function* () {
      const file = join(dirname(bundles.sluice.file), "conversionWorker.mjs")
      const worker = yield* Effect.acquireRelease(
        Effect.sync(() => new Worker(file)),
        (each) => Effect.promise(() => each.terminate())
      )
      const reply = yield* Effect.callback<unknown>((resume) => {
        worker.on("message", (message) => {
          if (message._tag !== "Ready") resume(Effect.succeed(message))
        })
        worker.once("error", (error) => resume(Effect.die(error)))
        worker.postMessage({
          url: "http://s.example/",
          contentType: "text/html",
          body: Buffer.from("<h1>a</h1>"),
          scriptsHaveRun: false,
          formats: ["markdown"],
          extent: "page"
        })
      })
      assert.deepStrictEqual(reply, {
        _tag: "Converted",
        content: { markdown: "# a\n", html: null, links: [], canonical: null }
      })
    })
  )
})
