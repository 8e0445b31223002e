import { PipelineName } from "@sluice/core/config"
import { Effect, FileSystem } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { failed, invalid } from "../CliError.ts"
import { printResult } from "../Output.ts"

const starter = (
  name: string,
  url: string
): string => `# A Sluice pipeline. Check it with "sluice validate", run it with "sluice run".
# Strings may name environment variables: $DATABASE_URL.
name: ${name}
source:
  crawl:
    url: ${url}
    depth: 2            # 1 is the first page alone
    limit: 25           # most pages to crawl, and so the most tokens to pay
    formats: [markdown]
sinks:
  # Without a url: an embedded Postgres in ./.sluice/postgres. With one: your own server.
  - postgres: {}
  # - postgres: { url: $DATABASE_URL, schema: crawl }
`

/** `sluice init`: writes a pipeline to begin with. Never overwrites. */
export const init = Command.make(
  "init",
  {
    file: Argument.String("FILE").pipe(Argument.withDescription("File to write"), Argument.withDefault("sluice.yaml")),
    name: Flag.String("name").pipe(
      Flag.withDescription("Name of the pipeline"),
      Flag.withSchema(PipelineName),
      Flag.withDefault("quotes")
    ),
    url: Flag.String("url").pipe(
      Flag.withDescription("Where to begin crawling"),
      Flag.withDefault("https://quotes.toscrape.com/")
    )
  },
  Effect.fnUntraced(function* ({ file, name, url }) {
    if (!URL.canParse(url)) return yield* invalid(`--url must be an absolute http or https URL`)
    const files = yield* FileSystem.FileSystem
    yield* files
      .writeFileString(file, starter(name, JSON.stringify(url)), { flag: "wx" })
      .pipe(
        Effect.catch((error) =>
          error.reason._tag === "AlreadyExists"
            ? invalid(`${file} is there already: name another file, or remove it first`)
            : failed(`${file} cannot be written: check the directory and its permissions`)
        )
      )
    yield* printResult(`wrote ${file}; run it with: sluice run ${file}`)
  })
).pipe(Command.withDescription("Write a pipeline file to begin with"))
