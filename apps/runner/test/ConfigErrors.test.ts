import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { dailySample } from "@sluice/testkit"
import { Effect } from "effect"
import { assertRefused, canary, directory, filesIn, run } from "./Cli.ts"

interface Case {
  readonly title: string
  readonly file?: string
  readonly text: string
  readonly env?: Readonly<Record<string, string>>
  readonly says: readonly [string, ...Array<string>]
}

const head = "name: quotes\nsource:\n  crawl: { url: https://quotes.example/ }\n"

const cases: ReadonlyArray<Case> = [
  {
    title: "an unknown field, with the one that was meant",
    text: "name: quotes\nsource:\n  crawl:\n    url: https://quotes.example/\n    dept: 2\nsinks:\n  - postgres: {}\n",
    says: ['p.yaml:5:5: source.crawl.dept: unknown field "dept"; did you mean "depth"?']
  },
  {
    title: "an unknown field like no other, with those there are",
    text: `${head}sinks:\n  - postgres: { colour: red }\n`,
    says: [
      'p.yaml:5:17: sinks.0.postgres.colour: unknown field "colour" (known: url, directory, schema, mode, close_after, retain, synchronous_commit, name)'
    ]
  },
  {
    title: "a budget without a bound",
    text: `${head}sinks:\n  - postgres: {}\nbudget: { clamp: false }\n`,
    says: ["p.yaml:6:1: budget: must have at least one of tokens, per_day, per_month and per_pipeline"]
  },
  {
    title: "a misspelt bound of a budget",
    text: `${head}sinks:\n  - postgres: {}\nbudget: { tokens: 1, per_dya: 2 }\n`,
    says: ['p.yaml:6:22: budget.per_dya: unknown field "per_dya"; did you mean "per_day"?']
  },
  {
    title: "a wrong type, with file, line and path",
    text: `name: quotes\nsource:\n  crawl:\n    url: https://quotes.example/\n    depth: two\nsinks:\n  - postgres: {}\n`,
    says: ["p.yaml:5:5: source.crawl.depth: must be number"]
  },
  {
    title: "everything that is wrong at once, in the order of the lines",
    text: "name: a b\nsource:\n  crawl:\n    url: quotes.example\n    limit: 0\n    formats: [pdf]\nsinks:\n  - postgres: { mode: swap }\napi: { base_url: 12 }\n",
    says: [
      "p.yaml:1:1: name: must be a name of letters, digits, _ and -, at most 63 characters",
      "p.yaml:4:5: source.crawl.url: must be an absolute http or https URL",
      "p.yaml:5:5: source.crawl.limit: must be a value between 1 and 10000",
      'p.yaml:6:15: source.crawl.formats.0: must be one of "markdown", "html"',
      'p.yaml:8:17: sinks.0.postgres.mode: must be one of "append", "merge", "replace", "history"',
      "p.yaml:9:8: api.base_url: must be string"
    ]
  },
  {
    title: "policies that say nothing, or make no sense together",
    text: `${head}sinks:\n  - postgres: { retain: { runs: 0 } }\nexpect: { required_share: 2, required: [title] }\nwhen_running: queue\n`,
    says: [
      "p.yaml:5:27: sinks.0.postgres.retain.runs: must be a value between 1 and 10000",
      "p.yaml:6:11: expect.required_share: must be a value between 0 and 1",
      'p.yaml:6:41: expect.required.0: must be one of "markdown", "html", "links", "http_status"',
      'p.yaml:7:1: when_running: must be one of "refuse", "wait"'
    ]
  },
  {
    title: "an expectation of nothing",
    text: `${head}sinks:\n  - postgres: {}\nexpect: {}\n`,
    says: ["p.yaml:6:1: expect: must have at least one of min_pages, max_failed_share and required"]
  },
  {
    title: "a bound of what is not asked for",
    text: `${head}sinks:\n  - postgres: {}\nexpect: { min_pages: 1, required_share: 0.5 }\n`,
    says: ["p.yaml:6:25: expect.required_share: needs expect.required"]
  },
  {
    title: "a wait that is none",
    text: `${head}sinks:\n  - postgres: {}\nwait_minutes: 5\n`,
    says: ["p.yaml:6:1: wait_minutes: needs when_running: wait"]
  },
  {
    title: "text that is no YAML",
    text: "name: quotes\nsource: ]\n",
    says: ["p.yaml:2:9: not valid YAML: Unexpected flow-seq-end token in YAML stream"]
  },
  {
    title: "a glob without quotes",
    text: `${head}transforms:\n  - select: { url: *blog* }\nsinks:\n  - postgres: {}\n`,
    says: [
      "p.yaml:5:20: transforms.0.select.url: what begins with * refers to an anchor, and there is none of this name; put the value in quotes"
    ]
  },
  {
    title: "two documents in one",
    text: `${head}sinks:\n  - postgres: {}\n---\nname: other\n`,
    says: ["p.yaml:6:1: not valid YAML: there is more than one document in it; remove the line --- and what follows"]
  },
  {
    title: "text that is no YAML, without quoting what may be a secret",
    text: `${head}api:\n  key: |${canary.apiKey}\n`,
    says: ["p.yaml:5:9: not valid YAML: Block scalar header includes extra characters"]
  },
  {
    title: "aliases that multiply",
    text: "a: &a [1, 1, 1, 1, 1, 1, 1]\nb: &b [*a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c]\n",
    says: ["p.yaml:1:1: its anchors and aliases multiply beyond all measure"]
  },
  {
    title: "a key given twice",
    text: `${head}name: again\nsinks:\n  - postgres: {}\n`,
    says: ["p.yaml:4:1: not valid YAML: Map keys must be unique"]
  },
  { title: "an empty file", text: "", says: ["p.yaml:1:1: must be object"] },
  {
    title: "variables that are not set or empty",
    text: `name: quotes\nsource:\n  crawl:\n    url: $SITE_URL\nsinks:\n  - postgres: { url: '\${DATABASE_URL}' }\n`,
    env: { DATABASE_URL: "" },
    says: [
      "p.yaml:4:10: source.crawl.url: environment variable SITE_URL is not set; set it, or write the value here",
      "p.yaml:6:22: sinks.0.postgres.url: environment variable DATABASE_URL is not set; set it, or write the value here"
    ]
  },
  {
    title: "kinds of source and sink there are none of, and a field that is missing",
    text: "source:\n  scrape: { url: https://quotes.example/ }\nsinks:\n  - bigquery: {}\n",
    says: [
      "p.yaml:1:1: name: is required",
      'p.yaml:2:3: source.scrape: unknown field "scrape" (known: crawl, extract, batch, map)',
      'p.yaml:4:5: sinks.0.bigquery: unknown field "bigquery" (known: postgres, s3, directory)'
    ]
  },
  {
    title: "two sources and no sink",
    text: "name: quotes\nsource:\n  crawl: { url: https://a.example/ }\n  batch: { urls: [https://b.example/] }\nsinks: []\n",
    says: [
      "p.yaml:2:1: source: must be exactly one of crawl, extract, batch, map",
      "p.yaml:5:1: sinks: must be at least one sink"
    ]
  },
  {
    title: "two sinks of one name",
    text: `${head}sinks:\n  - postgres: {}\n  - postgres: { schema: other }\n`,
    says: ['p.yaml:6:5: sinks.1: there is another sink named "postgres": give one of them a name']
  },
  {
    title: "a JSON file with a wrong type and an unknown field",
    file: "p.json",
    text: '{\n  "name": "quotes",\n  "source": { "crawl": { "url": "https://quotes.example/", "depth": "2" } },\n  "sinks": [{ "postgres": { "schem": "x" } }]\n}\n',
    says: [
      "p.json:3:60: source.crawl.depth: must be number",
      'p.json:4:29: sinks.0.postgres.schem: unknown field "schem"; did you mean "schema"?'
    ]
  },
  {
    title: "a file that is no JSON",
    file: "p.json",
    text: '{\n  "name": "quotes",\n',
    says: ["p.json:3:1: not valid JSON: the text ends before it is complete"]
  },
  {
    title: "a wrong value without quoting it, secret or not",
    text: `name: quotes\nsource:\n  crawl: { url: $GEONODE_SCRAPER_API_KEY }\nsinks:\n  - postgres: { url: $DATABASE_URL, mode: $DATABASE_URL }\n`,
    env: { GEONODE_SCRAPER_API_KEY: canary.apiKey, DATABASE_URL: `postgres://me:${canary.password}@127.0.0.1:1/x` },
    says: [
      "p.yaml:3:12: source.crawl.url: must be an absolute http or https URL (the value comes from GEONODE_SCRAPER_API_KEY)",
      'p.yaml:5:37: sinks.0.postgres.mode: must be one of "append", "merge", "replace", "history" (the value comes from DATABASE_URL)'
    ]
  },
  {
    title: "options of another mode",
    text: `${head}sinks:\n  - postgres: { mode: merge, close_after: 2 }\n`,
    says: ["p.yaml:5:30: sinks.0.postgres.close_after: needs mode: history"]
  }
]

// Each is a process of its own: every other one a day, and all of them in the soak.
describe("a pipeline file is refused for", () => {
  for (const { env = {}, file = "p.yaml", says, text, title } of dailySample(cases, 2)) {
    it.live(
      title,
      () =>
        Effect.gen(function* () {
          const cwd = yield* directory
          writeFileSync(join(cwd, file), text)
          assertRefused(yield* run(["run", file], { cwd, env }), 2, ...says)
          assert.deepStrictEqual(filesIn(cwd), [file])
        }),
      120_000
    )
  }
})

describe("a pipeline file that is not there", () => {
  it.live(
    "is named",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        mkdirSync(join(cwd, "folder"))
        writeFileSync(join(cwd, "site.ts"), "console.log(1)\n")
        const [absent, folder, unnamed, program] = yield* Effect.forEach(
          [["run", "absent.yaml"], ["validate", "folder"], ["run"], ["run", "site.ts"]],
          (args) => run(args, { cwd }),
          { concurrency: 2 }
        )
        assertRefused(absent!, 2, "there is no file absent.yaml")
        assertRefused(folder!, 2, "folder cannot be read: check that it is a file and that you may read it")
        assertRefused(
          unnamed!,
          2,
          'there is no sluice.yaml, sluice.yml, sluice.json here: name a pipeline file, or make one with "sluice init"'
        )
        assertRefused(
          program!,
          2,
          'site.ts is a program, and no pipeline file: run it with "node site.ts", or name a file in YAML or JSON'
        )
        assert.deepStrictEqual(filesIn(cwd), ["site.ts"])
      }),
    120_000
  )
})

describe("arguments that make no sense", () => {
  const commands: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
    [
      ["run", "--jsn"],
      "Unrecognized flag: --jsn in command sluice run. Did you mean this? --json; see: sluice run --help"
    ],
    [["rum"], 'Unknown subcommand "rum" for "sluice". Did you mean this? run; see: sluice --help'],
    [["validate", "a", "b"], 'Unexpected positional argument: "b"; see: sluice validate --help'],
    [["query"], "Missing required argument: SQL; see: sluice query --help"]
  ]
  for (const [args, says] of commands) {
    it.live(
      `sluice ${args.join(" ")}`,
      () =>
        Effect.gen(function* () {
          const cwd = yield* directory
          assertRefused(yield* run(args, { cwd }), 2, says)
        }),
      120_000
    )
  }

  it.live(
    "is not what asking for help is",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const helps = yield* Effect.forEach([[], ["--help"], ["run", "--help"], ["--version"]], (args) =>
          run(args, { cwd })
        )
        for (const { code, stderr } of helps) {
          assert.strictEqual(code, 0)
          assert.strictEqual(stderr, "")
        }
        const [bare, root, ofRun, version] = helps.map(({ stdout }) => stdout)
        assert.strictEqual(bare, root)
        assert.match(root!, /SUBCOMMANDS\n {2}init /)
        assert.match(ofRun!, /sluice run \[flags\] \[<FILE>\]/)
        assert.match(version!, /^sluice v\d+\.\d+\.\d+\n$/)
      }),
    120_000
  )
})
