/** The kinds of pipeline that `sluice init` can begin with. */
export const templateNames = ["crawl", "batch", "map", "s3", "history", "ts"] as const
export type TemplateName = (typeof templateNames)[number]

/** What each of them is for, in a few words. */
export const templateTitles: Readonly<Record<TemplateName, string>> = {
  crawl: "crawl a site into tables",
  batch: "extract a list of pages into tables",
  map: "map a site and extract what it finds",
  s3: "crawl a site into a bucket, as Parquet",
  history: "crawl a site and keep every version of its pages",
  ts: "a crawl as a TypeScript program"
}

/** What a template is filled in with. */
export interface TemplateValues {
  readonly name: string
  readonly url: string
}

/** Beside a pipeline file: the JSON Schema that editors check it with. */
export const schemaFile = "sluice.schema.json"

const head = `# yaml-language-server: $schema=./${schemaFile}
# A Sluice pipeline. "sluice plan" shows what a run would do and cost, "sluice run" does it.
# Values may name environment variables: $DATABASE_URL.
`

const embedded = `sinks:
  # Without a url: an embedded Postgres in ./.sluice/postgres. With one: your own server.
  - postgres: {}
  # - postgres: { url: $DATABASE_URL, schema: crawl }
`

const crawl = (url: string, limit: number): string => `source:
  crawl:
    url: ${url}
    depth: 2            # 1 is the first page alone
    limit: ${`${limit}`.padEnd(4)}         # most pages to crawl, and so the most tokens to pay
    formats: [markdown]
`

const yamlTemplates: Readonly<
  Record<Exclude<TemplateName, "ts">, (url: string, at: (path: string) => string) => string>
> = {
  crawl: (url) => `${crawl(url, 25)}${embedded}`,
  batch: (url, at) => `source:
  batch:
    urls:               # a token each
      - ${url}
      - ${at("page/2/")}
    formats: [markdown]
${embedded}`,
  map: (url) => `source:
  map:
    url: ${url}
    into:
      batch: { formats: [markdown] }
${embedded}budget: { tokens: 25 }  # how many pages a map finds is not known before
`,
  s3: (url) => `${crawl(url, 25)}sinks:
  # Region and credentials come from the AWS_* variables. A store that is not AWS needs its endpoint.
  - s3:
      bucket: my-bucket # which must exist
      prefix: crawls/
      format: parquet
      # endpoint: https://storage.example.com
`,
  history: (url) => `${crawl(url, 500)}sinks:
  # Every version of each page. A page is closed after three whole crawls without it.
  - postgres: { mode: history, close_after: 3 }
  # - postgres: { url: $DATABASE_URL, schema: crawl, mode: history }
`
}

/** A pipeline file to begin with, as YAML. */
export const yamlTemplate = (template: Exclude<TemplateName, "ts">, { name, url }: TemplateValues): string => {
  const at = (path: string) => JSON.stringify(new URL(path, url).href)
  return `${head}name: ${name}\n${yamlTemplates[template](JSON.stringify(url), at)}`
}

/** A pipeline as a TypeScript program. */
export const programTemplate = (
  file: string,
  { name, url }: TemplateValues
): string => `// A Sluice pipeline as a program. Install what it imports, set the key, and run it with Node 22.19 or newer:
//   npm install @sluice/core @sluice/sink-postgres @effect/platform-node effect
//   node --env-file=.env ${file}
import { NodeRuntime } from "@effect/platform-node"
import { Crawl, Pipeline, Scraper } from "@sluice/core"
import { Postgres } from "@sluice/sink-postgres"
import { Console, Effect } from "effect"

const pipeline = Pipeline.make({
  name: ${JSON.stringify(name)},
  // A page costs a token: the limit is also the most to pay.
  source: Crawl.make({ url: ${JSON.stringify(url)}, depth: 2, limit: 25 }),
  // Without a url: an embedded Postgres in ./.sluice/postgres.
  sinks: [Postgres.sink()]
})

Pipeline.run(pipeline).pipe(
  Effect.flatMap((receipt) => Console.log(JSON.stringify(receipt, null, 2))),
  Effect.provide(Scraper.layerFetch),
  NodeRuntime.runMain
)
`

/** The variables a pipeline may need, to be copied to `.env`. */
export const environmentTemplate = (template: TemplateName): string => `# Copy to .env, and run with: ${
  template === "ts" ? "node --env-file=.env" : "sluice run --env-file .env"
}
# The key of the hosted API.${template === "ts" ? "" : " Without one, the embedded scraper serves the pipeline, for free."}
GEONODE_SCRAPER_API_KEY=
${
  template === "s3"
    ? `# Where the bucket is, and the key to it.
AWS_REGION=
AWS_ACCESS_KEY_ID=
AWS_SECRET_ACCESS_KEY=
`
    : `# A Postgres of your own, once the pipeline names it.
DATABASE_URL=
`
}`

/** What no repository should hold: state, and secrets. */
export const ignoredPaths = [".sluice/", ".env"] as const
