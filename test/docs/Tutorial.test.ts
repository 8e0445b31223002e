import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { repositoryRoot } from "../../.ci/house/SourceTree.ts"
import { directory, type Finished, run, start } from "../../apps/runner/test/Cli.ts"
import { startSimulator } from "../e2e/SimulatorProcess.ts"

const tutorial = readFileSync(join(repositoryRoot, "docs/tutorials/first-pipeline.md"), "utf8")

/** The commands of each shell block, and the output that follows it, if one does. */
const steps = Array.from(
  tutorial.matchAll(/^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?/gms),
  ([, commands = "", output]) => ({ commands: commands.trim().split("\n"), output })
)

/** What differs from run to run: ids, hashes, instants, durations, numbers of reads. */
const steady = (text: string) =>
  text
    .replace(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b/g, "<id>")
    .replace(/\bconfig [0-9a-f]+/g, "config <hash>")
    .replace(/after \d+ s/g, "after <n> s")
    .replace(/\d+ reads/g, "<n> reads")
    .trimEnd()

const wordsOf = (command: string) =>
  [...command.replace(/\s+#.*$/, "").matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "")

interface Charges {
  readonly tokens: number
  readonly jobs: ReadonlyArray<unknown>
  readonly requests: ReadonlyArray<{ readonly method: string }>
}

/** Looks at a job that have shown some of its pages by now. */
const looks = 2

describe("the tutorial", () => {
  it.live(
    "does what it says",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const [first, ...others] = steps
        const growth = wordsOf(first?.commands[0] ?? "").slice(-2)
        const simulator = yield* startSimulator(growth)
        const charges = Effect.promise(async (): Promise<Charges> => {
          const answer = await fetch(`${simulator.baseUrl}/simulator/charges`)
          return JSON.parse(await answer.text())
        })
        const env: Record<string, string> = {}
        let runId = ""

        /** Runs a command and interrupts it while the crawl moves. */
        const interrupted = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
          const running = yield* start(args, { cwd, env })
          yield* charges.pipe(
            Effect.repeat({
              until: ({ requests }) => requests.filter(({ method }) => method === "GET").length >= looks,
              schedule: Schedule.spaced("20 millis")
            })
          )
          running.signal("SIGINT")
          return yield* running.finished
        }, Effect.scoped)

        const perform = Effect.fnUntraced(function* (command: string) {
          const words = wordsOf(command)
          if (words[0] === "export") {
            const [name = "", value = ""] = words[1]?.split("=") ?? []
            env[name] = value.startsWith("http") ? simulator.baseUrl : value
            return undefined
          }
          if (words[0] === "curl") {
            const { jobs, tokens } = yield* charges
            assert.include(tutorial, `${tokens} tokens and ${["no", "one", "two"][jobs.length]} job`)
            return undefined
          }
          assert.deepStrictEqual(words.slice(0, 2), ["pnpm", "sluice"], command)
          const args = words.slice(2)
          if (command.includes("# press Ctrl-C")) return yield* interrupted(args)
          const finished = yield* run(
            args.map((arg) => (arg === "RUN" ? runId : arg)),
            { cwd, env }
          )
          runId = /^run +(\S+)$/m.exec(finished.stdout)?.[1] ?? runId
          return finished
        })

        for (const { commands, output } of others) {
          let last: Finished | undefined
          for (const command of commands) {
            last = yield* perform(command)
            const code = command.includes("# press Ctrl-C") ? 130 : 0
            if (last !== undefined) assert.strictEqual(last.code, code, `${command}\n${last.stderr}`)
          }
          if (output === undefined) continue
          const printed = last?.stdout === "" ? (last.stderr.trimEnd().split("\n").at(-1) ?? "") : (last?.stdout ?? "")
          assert.strictEqual(steady(printed), steady(output))
        }
      }),
    240_000
  )
})
