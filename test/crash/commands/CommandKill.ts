import { Effect } from "effect"
import { type Finished, run, type Start } from "../../../apps/runner/test/Cli.ts"
import { killedAt } from "../Executioner.ts"
import type { End } from "../Life.ts"

/** Where in a command its process dies: at the nth time it meets a phase. */
export interface Death {
  readonly phase: string
  readonly nth: number
}

/** What a command works on, prepared so that it can be killed at it again and again. */
export interface Target {
  /** How often a command that is left alone meets each phase, at least. */
  readonly phases: ReadonlyMap<string, number>
  /** Kills a command in a place of its own, lets the real command line run it again, and compares everything there is. */
  readonly kill: (death: Death) => Effect.Effect<Aftermath>
}

/** What came of a kill. */
export interface Aftermath {
  /** What the process said of its death; undefined where it was not killed. */
  readonly reached: string | undefined
  readonly wrong: ReadonlyArray<string>
}

/** A kill, and what came of it. */
export interface CommandKill extends Aftermath {
  readonly command: string
  readonly setting: string
  readonly death: Death
}

/** What a process said of its death, if it was killed. */
export const reachedBy = ({ signal, stdout }: End): string | undefined =>
  signal === "SIGKILL"
    ? stdout
        .split("\n")
        .findLast((line) => line.startsWith(killedAt))
        ?.slice(killedAt.length)
    : undefined

/** Runs the real command line, and says what is wrong where it fails. */
export const again = (
  args: ReadonlyArray<string>,
  options: Start
): Effect.Effect<Finished & { readonly wrong: ReadonlyArray<string> }> =>
  Effect.map(run(args, options), (finished) => ({
    ...finished,
    wrong: finished.code === 0 ? [] : [`sluice ${args.join(" ")} ended with ${finished.code}: ${finished.stderr}`]
  }))

/** What a reader can check: a line for each command, setting and phase. */
export const tableOf = (kills: ReadonlyArray<CommandKill>): string => {
  const rows = new Map<string, Array<CommandKill>>()
  for (const kill of kills) {
    const row = `${kill.command} | ${kill.setting} | ${kill.death.phase}`
    rows.set(row, [...(rows.get(row) ?? []), kill])
  }
  const lines = [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([row, of]) => {
      const met = of.filter(({ reached }) => reached !== undefined).length
      return `| ${row} | ${met} | ${of.filter(({ wrong }) => wrong.length > 0).length} |`
    })
  return ["| command | setting | killed | kills | wrong |", "|---|---|---|---|---|", ...lines, ""].join("\n")
}
