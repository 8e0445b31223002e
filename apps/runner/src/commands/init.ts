import { PipelineName } from "@sluice/core/config"
import { Effect, FileSystem, Option, Path, Schema } from "effect"
import { Argument, Command, Flag, Prompt } from "effect/cli"
import { parse } from "yaml"
import { type CliError, failed, invalid } from "../CliError.ts"
import { Environment } from "../Environment.ts"
import { printResult, tell } from "../Output.ts"
import { pipelineFileSchema } from "../PipelineFile.ts"
import {
  environmentTemplate,
  ignoredPaths,
  programTemplate,
  schemaFile,
  type TemplateName,
  type TemplateValues,
  templateNames,
  templateTitles,
  yamlTemplate
} from "../templates.ts"

const standard: TemplateValues & { readonly template: TemplateName } = {
  template: "crawl",
  name: "quotes",
  url: "https://quotes.toscrape.com/"
}

/** `sluice init`: writes a pipeline to begin with. Never overwrites. */
export const init = Command.make(
  "init",
  {
    file: Argument.String("FILE").pipe(
      Argument.withDescription("File to write: YAML, JSON or TypeScript by its ending; sluice.yaml when absent"),
      Argument.optional
    ),
    template: Flag.Literals("template", templateNames).pipe(
      Flag.withDescription(`What to begin with: ${templateNames.join(", ")}; crawl when absent`),
      Flag.optional
    ),
    name: Flag.String("name").pipe(
      Flag.withDescription("Name of the pipeline; quotes when absent"),
      Flag.withSchema(PipelineName),
      Flag.optional
    ),
    url: Flag.String("url").pipe(
      Flag.withDescription("Where to begin; https://quotes.toscrape.com/ when absent"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* (given) {
    const { isInteractive = false } = yield* Environment
    const asks = isInteractive && [given.file, given.template, given.name, given.url].every(Option.isNone)
    const asked = asks ? yield* ask : undefined
    const isProgram = Option.exists(given.file, (file) => file.endsWith(".ts"))
    const template = asked?.template ?? Option.getOrElse(given.template, () => (isProgram ? "ts" : standard.template))
    const values: TemplateValues = {
      name: asked?.name ?? Option.getOrElse(given.name, () => standard.name),
      url: asked?.url ?? Option.getOrElse(given.url, () => standard.url)
    }
    const file = Option.getOrElse(given.file, () => (template === "ts" ? "sluice.ts" : "sluice.yaml"))
    if (!isPageUrl(values.url)) return yield* invalid(`--url must be an absolute http or https URL`)
    if ((template === "ts") !== file.endsWith(".ts")) {
      return yield* invalid(
        template === "ts"
          ? `${file}: a pipeline in TypeScript is a file that ends in .ts`
          : `${file}: the template ${template} is no program: name a file that ends in .yaml or .json`
      )
    }
    const path = yield* Path.Path
    if (!(yield* create(file, textOf(file, template, values)))) {
      return yield* invalid(`${file} is there already: name another file, or remove it first`)
    }
    yield* writeBeside(path.dirname(file), template)
    yield* printResult(`wrote ${file}; run it with: ${template === "ts" ? "node" : "sluice run"} ${file}`)
  })
).pipe(Command.withDescription("Write a pipeline file to begin with; asks on a terminal where nothing is given"))

const ask = Effect.gen(function* () {
  const choices = templateNames.map((value) => ({ value, title: value, description: templateTitles[value] }))
  const template: TemplateName = yield* Prompt.run(
    Prompt.Select<TemplateName>({ message: "What do you begin with?", choices })
  )
  const name = yield* Prompt.run(
    Prompt.String({
      message: "Name of the pipeline",
      default: standard.name,
      validate: (text) =>
        Schema.is(PipelineName)(text)
          ? Effect.succeed(text)
          : Effect.fail("a name is of letters, digits, _ and -, at most 63")
    })
  )
  const url = yield* Prompt.run(
    Prompt.String({
      message: "Where to begin",
      default: standard.url,
      validate: (text) => (isPageUrl(text) ? Effect.succeed(text) : Effect.fail("an absolute http or https URL"))
    })
  )
  return { template, name, url }
}).pipe(Effect.mapError(() => invalid("nothing was written: the questions were not answered")))

const isPageUrl = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)

const textOf = (file: string, template: TemplateName, values: TemplateValues): string => {
  if (template === "ts") return programTemplate(file, values)
  const yaml = yamlTemplate(template, values)
  if (!file.endsWith(".json")) return yaml
  const pipeline: Record<string, unknown> = parse(yaml)
  return `${JSON.stringify({ $schema: `./${schemaFile}`, ...pipeline }, null, 2)}\n`
}

/** Writes a file that is not there yet, and answers whether it was so. */
const create = Effect.fnUntraced(function* (
  file: string,
  text: string
): Effect.fn.Return<boolean, CliError, FileSystem.FileSystem> {
  const files = yield* FileSystem.FileSystem
  return yield* files.writeFileString(file, text, { flag: "wx" }).pipe(
    Effect.as(true),
    Effect.catch((error) =>
      error.reason._tag === "AlreadyExists"
        ? Effect.succeed(false)
        : Effect.fail(failed(`${file} cannot be written: check the directory and its permissions`))
    )
  )
})

/** The schema for editors, an example of the variables, and what git is to ignore. What is there already is left as it is. */
const writeBeside = Effect.fnUntraced(function* (directory: string, template: TemplateName) {
  const path = yield* Path.Path
  const beside: ReadonlyArray<readonly [string, string]> = [
    ...(template === "ts" ? [] : [[schemaFile, `${JSON.stringify(pipelineFileSchema(), null, 2)}\n`] as const]),
    [".env.example", environmentTemplate(template)],
    [".gitignore", `${ignoredPaths.join("\n")}\n`]
  ]
  const written: Array<string> = []
  for (const [name, text] of beside) {
    const file = path.join(directory, name)
    if (yield* create(file, text)) written.push(file)
    else if (name === ".gitignore") yield* tellUnignored(file)
  }
  if (written.length > 0) yield* tell(`sluice: also wrote ${written.join(", ")}`)
})

const tellUnignored = Effect.fnUntraced(function* (
  file: string
): Effect.fn.Return<void, CliError, FileSystem.FileSystem> {
  const files = yield* FileSystem.FileSystem
  const text = yield* files.readFileString(file).pipe(Effect.orElseSucceed(() => ""))
  const lines = text.split("\n").map((line) => line.trim().replace(/^\//, "").replace(/\/$/, ""))
  const missing = ignoredPaths.filter((ignored) => !lines.includes(ignored.replace(/\/$/, "")))
  if (missing.length > 0) yield* tell(`sluice: ${file} is kept as it is: add ${missing.join(" and ")} to it`)
})
