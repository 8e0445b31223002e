/** Runs Effect's diagnostics over the repository. Without its plugin entry in tsconfig they check no file and pass: that fails here. */
import { spawnSync } from "node:child_process"

const { status, stdout, stderr } = spawnSync(
  "effect-tsgo",
  ["diagnostics", "--project", "tsconfig.json", "--strict", "--format", "text"],
  { encoding: "utf8", shell: process.platform === "win32" }
)
process.stdout.write(stdout ?? "")
process.stderr.write(stderr ?? "")
const checked = Number(/Checked (\d+) files/.exec(stdout ?? "")?.[1] ?? 0)
if (checked === 0) process.stderr.write("effect-tsgo checked no file\n")
process.exitCode = checked === 0 ? 1 : (status ?? 1)
