#!/usr/bin/env -S node --max-semi-space-size=8 --max-old-space-size=1024 --
// The `--` keeps Node from reading `--env-file` as its own: it looks for that behind the program as well.
import { enableCompileCache } from "node:module"
import { join } from "node:path"
import envPaths from "env-paths"

// A third of a command's start is V8 compiling what it compiled the time before. That is kept in the user's own cache: Node's
// default is a directory all users write to. NODE_COMPILE_CACHE names another, NODE_DISABLE_COMPILE_CACHE=1 does without.
enableCompileCache(join(envPaths("sluice", { suffix: "" }).cache, "compiled"))

const [{ runCli }, { runProcess, sluiceProcess }] = await Promise.all([
  import("./cli.ts"),
  import("./sluiceProcess.ts")
])
runProcess(sluiceProcess(runCli, process.argv.slice(2)))
