import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"

const module = fileURLToPath(new URL("../src/dailySample.ts", import.meta.url))
const script = `import { dailySample, sampleSeed } from ${JSON.stringify(module)}
console.log(JSON.stringify([sampleSeed, dailySample([0, 1, 2, 3, 4, 5, 6], 3)]))`

/** Reads the sample in a process of its own, which reads its seed from the environment. */
const sampleWith = (env: Readonly<Record<string, string>>) =>
  Effect.callback<{ readonly stdout: string; readonly stderr: string }>((resume) => {
    execFile(process.execPath, ["--input-type=module", "--eval", script], { env }, (_, stdout, stderr) =>
      resume(Effect.succeed({ stdout: stdout.trim(), stderr }))
    )
  })

describe("a daily sample", () => {
  it.live("follows the seed that is given", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* sampleWith({ SLUICE_SAMPLE_SEED: "4" }), { stdout: "[4,[1,4]]", stderr: "" })
      assert.strictEqual((yield* sampleWith({ SLUICE_SAMPLE_SEED: "6" })).stdout, "[6,[0,3,6]]")
    })
  )

  it.live("prints the seed that it takes, which repeats it", () =>
    Effect.gen(function* () {
      const first = yield* sampleWith({})
      const seed = /Sample seed (\d+)\. SLUICE_SAMPLE_SEED=\1 repeats/.exec(first.stderr)?.[1]
      if (seed === undefined) return assert.fail(`no seed: ${first.stderr}`)
      assert.strictEqual((yield* sampleWith({ SLUICE_SAMPLE_SEED: seed })).stdout, first.stdout)
    })
  )

  it.live("is everything in the long tests, and refuses a seed that is no number", () =>
    Effect.gen(function* () {
      const long = yield* sampleWith({ SLUICE_SAMPLE_SEED: "1", SLUICE_LONG_TESTS: "1" })
      assert.strictEqual(long.stdout, "[1,[0,1,2,3,4,5,6]]")
      assert.include((yield* sampleWith({ SLUICE_SAMPLE_SEED: "-1" })).stderr, 'SLUICE_SAMPLE_SEED is "-1"')
    })
  )
})
