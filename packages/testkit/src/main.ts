#!/usr/bin/env node
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit } from "effect"
import { Command } from "effect/cli"
import { simulatorCommand, version } from "./simulator/command.ts"

if (import.meta.main) {
  simulatorCommand.pipe(Command.run({ version }), Effect.provide(NodeServices.layer), (main) =>
    NodeRuntime.runMain(main, {
      // To be told to stop is how a server ends.
      teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause) ? 0 : 1)
    })
  )
}
