import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { Effect } from "effect"
import { directory, filesIn, run, runJson } from "../../apps/runner/test/Cli.ts"
import { assertCompleted, countRows, readPages } from "./Crawled.ts"

/** What `pnpm start` runs. */
const entry = fileURLToPath(new URL("../../apps/runner/demo/start.ts", import.meta.url))

describe("pnpm start", () => {
  it.live(
    "lands this project's documentation, and landing it again duplicates nothing",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const receipt = yield* runJson<Receipt>(["--json"], { cwd, entry })
        assertCompleted(receipt)
        assert.isAbove(receipt.pages.completed, 1)
        assert.strictEqual(receipt.pages.failed, 0)
        const first = yield* readPages({ cwd })
        const counts = {
          pages: first.length,
          links: first.reduce((sum, { links }) => sum + links.length, 0),
          page_metadata: first.length,
          token_summaries: 1
        }
        assert.deepStrictEqual(receipt.sinks[0]?.rows, counts)
        assert.isTrue(filesIn(cwd).every((file) => file.startsWith(".sluice/")))

        const again = yield* run([], { cwd, entry })
        assert.strictEqual(again.code, 0, again.stderr)
        assert.match(again.stdout, /^status {5}completed, after /m)
        assert.match(again.stdout, /^title +page +characters +links +linked_from$/m)
        assert.match(again.stdout, /^Try next:\n {2}pnpm sluice query /m)
        assert.notInclude(again.stdout + again.stderr, "\u001b")
        assert.deepStrictEqual(yield* readPages({ cwd }), first)
        assert.deepStrictEqual(yield* countRows({ cwd }), { ...counts, token_summaries: 2 })
      }),
    240_000
  )
})
