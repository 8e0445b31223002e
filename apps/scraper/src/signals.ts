import { Cause, Exit, Runtime } from "effect"

const codes = { SIGINT: 130, SIGTERM: 143 } as const

/** Ends the process at the second signal, whatever it still waits for. What the state says then is as after a crash. */
export const endAtSecondSignal = (): void => {
  let isFirst = true
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (!isFirst) process.exit(codes[signal])
      isFirst = false
    })
  }
}

/** 0 for a server that was told to stop and did. */
export const endedInOrder: Runtime.Teardown = (exit, onExit) =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)
