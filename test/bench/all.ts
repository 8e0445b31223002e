import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"

// The benches of both kinds of sink, one after the other, on the same work.
// node test/bench/all.ts [--links 20] [--size 4096] [--rounds 3]

const { values: flags } = parseArgs({
  options: {
    links: { type: "string", default: "20" },
    size: { type: "string", default: "4096" },
    rounds: { type: "string", default: "3" }
  }
})
const given = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])

for (const program of ["postgres.ts", "objects.ts"]) {
  const { status } = spawnSync(process.execPath, [fileURLToPath(new URL(program, import.meta.url)), ...given], {
    stdio: "inherit"
  })
  if (status !== 0) process.exit(status ?? 1)
}
