import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { shells } from "../src/commands/completion.ts"
import { directory } from "./Cli.ts"
import { inProcess } from "./inProcess.ts"

describe("completion", () => {
  it.live("prints a script for each shell that knows every command", () =>
    Effect.gen(function* () {
      for (const shell of shells) {
        const { code, stdout } = yield* inProcess(["completion", shell])
        assert.strictEqual(code, 0)
        for (const name of ["plan", "doctor", "expect-plan", "write-probe"]) assert.include(stdout, name, shell)
      }
    })
  )

  it.live("completes in bash", () =>
    Effect.gen(function* () {
      const { stdout } = yield* inProcess(["completion", "bash"])
      const cwd = yield* directory
      writeFileSync(join(cwd, "sluice.bash"), stdout)
      const script = `source ./sluice.bash
COMP_WORDS=(sluice do); COMP_CWORD=1; COMP_LINE="sluice do"; COMP_POINT=9
"$(complete -p sluice | sed -E 's/.*-F ([^ ]+).*/\\1/')" sluice do sluice; echo "\${COMPREPLY[@]}"`
      const { stderr, stdout: completed } = spawnSync("bash", ["--norc", "-c", script], { cwd, encoding: "utf8" })
      assert.strictEqual(completed.trim(), "doctor", stderr)
    })
  )
})
