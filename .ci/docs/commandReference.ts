import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Option } from "effect"
import { CliOutput, Command, type HelpDoc } from "effect/cli"
import { sluice, version } from "../../apps/runner/src/cli.ts"
import { ExitCodeOfCommand } from "../../apps/runner/src/ExitCodeOfCommand.ts"

/** Asks one command for its help, as the value that `--help` is drawn from. */
const helpOf = Effect.fnUntraced(function* (path: ReadonlyArray<string>) {
  const presented: Array<HelpDoc.HelpDoc> = []
  yield* Command.runWith(sluice, { version })([...path, "--help"]).pipe(
    Effect.provideService(CliOutput.Presenter, {
      present: (event) =>
        Effect.sync(() => {
          if (event._tag === "Help") presented.push(event.helpDoc)
        })
    })
  )
  const [help] = presented
  return help ?? (yield* Effect.die(`sluice ${path.join(" ")} has no help`))
})

interface CommandHelp {
  readonly path: ReadonlyArray<string>
  readonly alias: string | undefined
  readonly help: HelpDoc.HelpDoc
}

/** Lists the command line and all its commands, in the order of the help. */
const allCommands = Effect.gen(function* () {
  const found: Array<CommandHelp> = []
  const waiting: Array<Omit<CommandHelp, "help">> = [{ path: [], alias: undefined }]
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { path } = next
    const help = yield* helpOf(path)
    const commands = (help.subcommands ?? []).flatMap((group) => group.commands)
    found.push({ ...next, help })
    waiting.unshift(...commands.map(({ alias, name }) => ({ path: [...path, name], alias })))
  }
  return found
})

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;")

const argumentRows = (help: HelpDoc.HelpDoc) =>
  (help.args ?? []).map(({ description, name, required, variadic }) => {
    const text = Option.getOrElse(description, () => "")
    const note = [...(required ? [] : ["optional"]), ...(variadic ? ["may be given again"] : [])].join(", ")
    return `| \`${name}\` | ${cell(text)}${note === "" ? "" : ` (${note})`} |`
  })

const flagRows = (flags: ReadonlyArray<HelpDoc.FlagDoc>) =>
  flags.map(({ aliases, description, name, required, type }) => {
    const names = [`--${name}`, ...aliases].map((each) => `\`${each}\``).join(", ")
    const text = Option.getOrElse(description, () => "")
    return `| ${names} | ${type === "boolean" ? "" : `\`${type.replaceAll("|", "\\|")}\``} | ${cell(text)}${required ? " (required)" : ""} |`
  })

const section = ({ alias, help, path }: CommandHelp): string => {
  const rows = argumentRows(help)
  const flags = flagRows(help.flags)
  return [
    `## sluice ${path.join(" ")}`,
    `${cell(help.description)}.${alias === undefined ? "" : ` \`sluice ${[...path.slice(0, -1), alias].join(" ")}\` is the same command.`}`,
    `\`\`\`text\n${help.usage}\n\`\`\``,
    ...(rows.length === 0 ? [] : [["| Argument | What |", "|---|---|", ...rows].join("\n")]),
    ...(flags.length === 0 ? [] : [["| Flag | Value | What |", "|---|---|---|", ...flags].join("\n")])
  ].join("\n\n")
}

/** The page that lists every command with its arguments and flags, made from the commands themselves. */
export const commandReference: Effect.Effect<string, unknown> = Effect.gen(function* () {
  const [root, ...commands] = yield* allCommands
  const global = flagRows(root?.help.globalFlags ?? [])
  return `${[
    "# Commands and flags",
    "Every command with its arguments and flags, as `--help` shows them. [The command line](cli.md) has exit codes and variables.",
    "<!-- Generated from the commands of apps/runner by `pnpm docs:reference`. -->",
    ...commands.filter(({ help }) => help.subcommands === undefined).map(section),
    "## Flags of every command",
    ["| Flag | Value | What |", "|---|---|---|", ...global].join("\n")
  ].join("\n\n")}\n`
}).pipe(Effect.provideService(ExitCodeOfCommand, { code: 0 }), Effect.provide(NodeServices.layer))
