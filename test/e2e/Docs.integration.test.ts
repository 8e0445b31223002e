import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { commandReference } from "../../.ci/docs/commandReference.ts"
import { docExamples } from "../../.ci/house/docExamples.ts"
import { readPackages } from "../../.ci/house/SourceTree.ts"
import { directory, run } from "../../apps/runner/test/Cli.ts"
import { inProcess } from "../../apps/runner/test/inProcess.ts"
import { testDatabase } from "../../apps/runner/test/TestDatabase.ts"
import workspace from "../../package.json" with { type: "json" }
import { changingSite } from "./ChangingSite.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

const documents = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name))
].sort()

/** A fenced block of a document. */
interface Block {
  readonly language: string
  readonly text: string
  /** File and line, as errors name them. */
  readonly at: string
}

const blocks: ReadonlyArray<Block> = documents.flatMap((file) => {
  const text = readFileSync(join(root, file), "utf8")
  return [...text.matchAll(/^```(\w*)[^\n]*\n(.*?)^```$/gms)].map((match) => ({
    language: match[1] ?? "",
    text: match[2] ?? "",
    at: `${file}:${text.slice(0, match.index).split("\n").length}`
  }))
})

/** SQL that answers something; what gives rights is held to its word by another test. */
const queries = blocks.filter(({ language, text }) => language === "sql" && /^(SELECT|WITH)\b/.test(text))

const blocksIn = (...languages: ReadonlyArray<string>) => blocks.filter(({ language }) => languages.includes(language))

/** The commands of a shell block: comments, continued lines, prompts and variables set in front are dealt with. */
const commandsOf = ({ text }: Block): ReadonlyArray<ReadonlyArray<string>> =>
  text
    .replaceAll("\\\n", " ")
    .split("\n")
    .flatMap((line) => line.replace(/(?:^|\s)#.*$/, "").split(/&&|\|\|?|;/))
    .map((command) => [...command.matchAll(/"[^"]*"|'[^']*'|\S+/g)].map(([word]) => word))
    .map((words) => words.slice(words.findIndex((word) => word !== "$" && !/^[A-Z_]+=/.test(word))))
    .filter((words) => words.length > 0)

/** What is left of a command once it is known to call pnpm, in one of the ways to do so. */
const pnpmArguments = (words: ReadonlyArray<string>): ReadonlyArray<string> | undefined => {
  if (words[0] === "pnpm") return words[1] === "run" ? words.slice(2) : words.slice(1)
  const called = words.findIndex((word) => /^pnpm@\d+$/.test(word))
  return words[0] === "npx" && called > 0 ? words.slice(called + 1) : undefined
}

const compiler = join(root, "node_modules/typescript/bin/tsc")

/** A directory from which imports are resolved as the examples' are. */
const insideRepository = Effect.acquireRelease(
  Effect.sync(() => {
    mkdirSync(join(root, "reports"), { recursive: true })
    return mkdtempSync(join(root, "reports", "docs-"))
  }),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** The command a line calls, with its subcommand where it has some. */
const commandIn = (args: ReadonlyArray<string>): string => {
  const [name = "", ...rest] = args.filter((arg) => !arg.startsWith("-"))
  return name === "dlq" || name === "schedule" ? `${name} ${rest[0]}` : name
}

const ownCommands = new Set(["install", "add", "exec", "dlx", "update", "changeset"])

describe("the documents", () => {
  it.live(
    "hold pipelines that are valid",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const pipelines = blocksIn("yaml", "yml", "json").filter(({ text }) => /^\s*"?source"?:/m.test(text))
        assert.isAbove(pipelines.length, 0)
        yield* Effect.forEach(
          pipelines,
          ({ at, language, text }, index) =>
            Effect.gen(function* () {
              const file = join(cwd, `block-${index}.${language}`)
              writeFileSync(file, text)
              const names = [...text.matchAll(/\$\{?([A-Z_][A-Z0-9_]*)/g)].map(([, name = ""]) => name)
              const env = Object.fromEntries(
                names.map((name) => [
                  name,
                  name.includes("DATABASE") ? "postgres://set.example/db" : "https://set.example/"
                ])
              )
              const { code, stderr } = yield* inProcess(["validate", file], env)
              assert.strictEqual(code, 0, `${at}:\n${text}\n${stderr}`)
            }),
          { concurrency: 2 }
        )
      }),
    240_000
  )

  it.live(
    "hold TypeScript that type-checks, as doc comments do",
    () =>
      Effect.gen(function* () {
        const examples = readPackages(root)
          .filter(({ folder }) => folder.startsWith("packages/"))
          .flatMap(({ files }) => files.flatMap(docExamples))
        assert.isAbove(examples.length, 40)
        const code = [...blocksIn("ts", "typescript"), ...examples]
        const folder = yield* insideRepository
        code.forEach(({ at, text }, index) => {
          writeFileSync(join(folder, `block-${index}.ts`), `// ${at}\n${text}\nexport {}\n`)
        })
        const config = {
          extends: relative(folder, join(root, "tsconfig.base.json")),
          compilerOptions: { noEmit: true, noUnusedLocals: false, noUnusedParameters: false },
          include: ["*.ts"]
        }
        writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config))
        const { code: status, stdout } = yield* run(["-p", folder], { cwd: folder, entry: compiler })
        const where = code.map(({ at }, index) => `block-${index}.ts is ${at}`).join("\n")
        assert.strictEqual(status, 0, `${stdout}\n${where}`)
      }),
    120_000
  )

  it.live(
    "hold commands that exist, with the flags they have",
    () =>
      Effect.gen(function* () {
        const calls = blocksIn("sh", "bash", "shell", "console").flatMap((block) =>
          commandsOf(block).map((words) => ({ at: block.at, words }))
        )
        const ofSluice: Array<{ readonly at: string; readonly args: ReadonlyArray<string> }> = []
        for (const { at, words } of calls) {
          const [name = "", ...args] = pnpmArguments(words) ?? []
          const what = `${at}: ${words.join(" ")}`
          if (words[0] === "sluice") ofSluice.push({ at, args: words.slice(1) })
          else if (name === "sluice") ofSluice.push({ at, args })
          else if (name !== "" && !name.startsWith("-")) {
            assert.isTrue(name in workspace.scripts || ownCommands.has(name), what)
          } else if (words[0] === "node" || /^\.{0,2}\//.test(words[0] ?? "")) {
            const script = words[0] === "node" ? words.find((word) => /\.[cm]?[jt]s$/.test(word)) : words[0]
            if (script !== undefined) assert.isTrue(existsSync(join(root, script)), what)
          }
        }
        const [, ...sections] = (yield* commandReference).split(/^## /m)
        const helpOf = new Map(sections.map((text) => [text.slice(0, text.indexOf("\n")), text]))
        const ofEvery = helpOf.get("Flags of every command") ?? ""
        for (const { args, at } of ofSluice) {
          const what = `${at}: sluice ${args.join(" ")}`
          const help = helpOf.get(`sluice ${commandIn(args)}`)
          assert.isDefined(help, what)
          for (const flag of args.filter((arg) => arg.startsWith("--"))) {
            assert.include(`${help}${ofEvery}`, `\`${flag.split("=")[0]}\``, what)
          }
        }
      }),
    240_000
  )

  it.live(
    "hold questions that get an answer",
    () =>
      Effect.gen(function* () {
        const database = yield* testDatabase()
        const origin = yield* changingSite(database)
        assert.isAtLeast(queries.filter(({ at }) => at.startsWith("docs/how-to/query-postgres.md")).length, 15)
        for (const { at, text } of queries) {
          const asked = text.replaceAll("https://example.com", origin).replaceAll("'2026-06-01'", "now()")
          const rows = yield* database.rows(asked.replace(/;\s*$/, ""))
          // The site of this test gives no reason to set anything aside, nor anything that has no column.
          if (!/dead_letters|\bextra\b/.test(text)) assert.isNotEmpty(rows, `${at}:\n${text}`)
        }
      }),
    240_000
  )
})
