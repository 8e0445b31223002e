import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import fc from "fast-check"
import { interpolate } from "../src/interpolate.ts"
import { assertRefused, canary, directory, type Finished, run } from "./Cli.ts"
import { inProcess } from "./inProcess.ts"

interface Case {
  readonly title: string
  readonly file?: string
  readonly text: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  /** What `validate` says, without the name of the file in front. Absent: the file is valid. */
  readonly says?: ReadonlyArray<string>
}

const head = "name: quotes\nsource:\n  crawl: { url: https://quotes.example/ }\n"
const [plain, withDefault] = ["NAME", "NAME:-default"].map((inner) => `\${${inner}}`)
const forms = `write ${plain} or ${withDefault}, where a default holds no variable`
const sinks = "sinks:\n  - postgres: {}\n"

const wrong: ReadonlyArray<Case> = [
  ...["home", "data_1", "Mixed"].map((name) => ({
    title: `a variable in braces that is no capitals: ${name}`,
    text: `${head}sinks:\n  - postgres: { directory: "\${${name}}/x" }\n`,
    says: [
      `:5:28: sinks.0.postgres.directory: \${${name}} is no form that is read here: write \${${name.toUpperCase()}}, in capitals; a dollar sign itself is $$`
    ]
  })),
  ...[
    ["NAME:=x", "NAME:=…"],
    ["NAME-x", "NAME-…"],
    ["NAME:?say", "NAME:?…"],
    ["NAME:+x", "NAME:+…"],
    ["NAME%%x", "NAME%%…"],
    ["#NAME", "#…"],
    ["", ""],
    ["env:NAME", "env:…"],
    ["NAME:-a$OTHER", "NAME:-…"]
  ].map(([form, shown]) => ({
    title: `a form of a shell: \${${form}}`,
    text: `name: quotes\nsource:\n  crawl:\n    url: "https://x.example/\${${form}}"\n${sinks}`,
    env: { NAME: canary.password },
    says: [
      `:4:10: source.crawl.url: \${${shown}} is no form that is read here: write \${NAME} or \${NAME:-default}, where a default holds no variable; a dollar sign itself is $$`
    ]
  })),
  {
    title: "a brace that is not closed",
    text: `${head}sinks:\n  - postgres: { url: "$\{DATABASE_URL" }\n`,
    env: { DATABASE_URL: "postgres://h/x" },
    says: [
      `:5:22: sinks.0.postgres.url: \${DATABASE_URL is no form that is read here: ${forms}; a dollar sign itself is $$`
    ]
  },
  {
    title: "a variable in the name of a member",
    text: `${head}sinks:\n  - postgres: { "$\{FIELD}": x }\n`,
    says: [`:5:17: sinks.0.postgres.\${FIELD}: the name of a member cannot hold a variable; write the name out`]
  },
  {
    title: "a number that its variable is not",
    text: `name: quotes\nsource:\n  crawl: { url: https://quotes.example/, limit: $LIMIT, render_js: '$\{JS}' }\n${sinks}`,
    env: { LIMIT: "many", JS: "yes" },
    says: [
      ":3:42: source.crawl.limit: must be number (the value comes from LIMIT)",
      ":3:57: source.crawl.render_js: must be boolean (the value comes from JS)"
    ]
  },
  {
    title: "a number out of range from a variable",
    text: `name: quotes\nsource:\n  crawl: { url: https://quotes.example/, limit: $LIMIT }\n${sinks}`,
    env: { LIMIT: "10001" },
    says: [":3:42: source.crawl.limit: must be a value between 1 and 10000 (the value comes from LIMIT)"]
  },
  {
    title: "a variable that is not set in a shared block, where it is used",
    text: `${head}x-db: &db { url: $DATABASE_URL }\nsinks:\n  - postgres: { <<: *db }\n`,
    says: [":4:18: sinks.0.postgres.url: environment variable DATABASE_URL is not set; set it, or write the value here"]
  },
  {
    title: "a wrong value that was merged in, where it is written",
    text: `${head}x-db: &db\n  mode: swap\nsinks:\n  - postgres: { <<: *db, schem: x }\n`,
    says: [
      ':5:3: sinks.0.postgres.mode: must be one of "append", "merge", "replace", "history"',
      ':7:26: sinks.0.postgres.schem: unknown field "schem"; did you mean "schema"?'
    ]
  },
  {
    title: "a merge of what is no map",
    text: `${head}x-list: &list [1]\nsinks:\n  - postgres: { <<: 5 }\n  - postgres: { <<: *list, name: b }\n`,
    says: [
      ":6:17: sinks.0.postgres.<<: << takes a map or an alias of one, or a list of those",
      ":7:17: sinks.1.postgres.<<: << takes a map or an alias of one, or a list of those"
    ]
  },
  {
    title: "a shared block below the top",
    text: `${head}sinks:\n  - postgres: { x-mine: 1 }\n`,
    says: [
      ':5:17: sinks.0.postgres.x-mine: unknown field "x-mine" (known: url, directory, schema, mode, close_after, retain, synchronous_commit, name)'
    ]
  },
  {
    title: "a variable in braces within braces",
    text: `${head}sinks:\n  - postgres: { url: $\{DATABASE_URL} }\n`,
    says: [":5:23: not valid YAML: put a variable in braces in quotes where it is within { } or [ ]"]
  },
  {
    title: "a trailing comma in JSON",
    file: "p.json",
    text: `{\n  "name": "quotes",\n  "source": { "crawl": { "url": "https://quotes.example/", } },\n  "sinks": [{ "postgres": {} }]\n}\n`,
    says: [":3:58: not valid JSON: remove the trailing comma"]
  },
  {
    title: "a trailing comma in a list of JSON",
    file: "p.json",
    text: `{ "sinks": [{ "postgres": {} },\n ] }`,
    says: [":1:31: not valid JSON: remove the trailing comma"]
  },
  {
    title: "a comment in JSON",
    file: "p.json",
    text: `{\n  // mine\n  "name": "quotes" }`,
    says: [":2:3: not valid JSON: JSON has no comments; remove them, or name the file .yaml"]
  },
  ...["{name: 1}", "{'name': 1}", '{ "name": quotes }', "name: quotes", '{ "a": 1 } {}'].map((text) => ({
    title: `YAML in a JSON file: ${text}`,
    file: "p.json",
    text,
    says: [
      `:1:${{ "{name: 1}": 2, "{'name': 1}": 2, '{ "name": quotes }': 11, "name: quotes": 1, '{ "a": 1 } {}': 12 }[text]}: not valid JSON: this is not expected here`
    ]
  })),
  {
    title: "JSON that ends too soon",
    file: "p.json",
    text: '{\n  "name": "quotes",\n',
    says: [":3:1: not valid JSON: the text ends before it is complete"]
  },
  {
    title: "Latin-1",
    text: Buffer.from("name: quotes\n# caf\u00e9\nsource: {}\n", "latin1"),
    says: [":2:6: this byte is no UTF-8; save the file as UTF-8"]
  },
  {
    title: "Latin-1 behind a character of two bytes",
    text: Buffer.concat([Buffer.from("# \u00fc"), Buffer.from("\u00e9", "latin1")]),
    says: [":1:4: this byte is no UTF-8; save the file as UTF-8"]
  },
  {
    title: "UTF-16",
    text: Buffer.from("\ufeffname: quotes\n", "utf16le"),
    says: [":1:1: the file is UTF-16; save it as UTF-8"]
  },
  {
    title: "Latin-1 in JSON",
    file: "p.json",
    text: Buffer.from('{"name":"\u00e9"}', "latin1"),
    says: [":1:10: this byte is no UTF-8; save the file as UTF-8"]
  }
]

const shared = `x-shared: &shared
  name: store
  retain: { runs: '$\{RUNS:-3}' }
x-more: &more { schema: crawl, retain: { runs: 9 } }
`

/** Each pair of texts is one pipeline. */
const alike: ReadonlyArray<Case & { readonly as: string }> = [
  {
    title: "numbers and booleans from variables",
    text: `name: quotes\nsource:\n  crawl: { url: $URL, limit: $LIMIT, depth: "$\{DEPTH:-3}", render_js: $JS }\n${sinks}`,
    env: { URL: "https://quotes.example/", LIMIT: "500", JS: "false" },
    as: `name: quotes\nsource:\n  crawl: { url: https://quotes.example/, limit: 500, depth: 3, render_js: false }\n${sinks}`
  },
  {
    title: "numbers and booleans from variables in JSON",
    file: "p.json",
    text: '{"name":"quotes","source":{"crawl":{"url":"https://quotes.example/","limit":"$LIMIT"}},"sinks":[{"postgres":{}}]}',
    env: { LIMIT: " 500\n" },
    as: `name: quotes\nsource:\n  crawl: { url: https://quotes.example/, limit: 500 }\n${sinks}`
  },
  {
    title: "a text that looks like a number",
    text: `name: $NAME\nsource:\n  extract: { urls: ["https://quotes.example/"], headers: { X-Number: $NAME } }\n${sinks}`,
    env: { NAME: "123" },
    as: `name: "123"\nsource:\n  extract: { urls: ["https://quotes.example/"], headers: { X-Number: "123" } }\n${sinks}`
  },
  {
    title: "defaults, and dollar signs",
    text: `name: quotes\nsource:\n  crawl: { url: "https://quotes.example/$\{PATH_:-a$$b}/$$\{NOT}$lower/$\{EMPTY:-}" }\n${sinks}`,
    env: { EMPTY: "" },
    as: `name: quotes\nsource:\n  crawl: { url: "https://quotes.example/a$$b/$$\{NOT}$lower/" }\n${sinks}`
  },
  {
    title: "merge keys and shared blocks, of which nearer settings win",
    text: `${shared}${head}sinks:\n  - postgres: { <<: [*shared, *more], schema: own }\n`,
    as: `${head}sinks:\n  - postgres: { name: store, schema: own, retain: { runs: 3 } }\n`
  },
  {
    title: "a shared block that nobody uses, with a variable that is not set",
    text: `x-unused: [$NOT_SET, 5, { a: b }]\n${head}${sinks}`,
    as: `${head}${sinks}`
  },
  {
    title: "a byte order mark",
    text: `\ufeff${head}${sinks}`,
    as: `${head}${sinks}`
  }
]

const validate = Effect.fnUntraced(function* (cwd: string, { env, file = "p.yaml", text }: Case) {
  const path = join(cwd, file)
  writeFileSync(path, text)
  const finished: Finished = yield* inProcess(["validate", path, "--json"], env)
  return { ...finished, stderr: finished.stderr.replaceAll(path, "") }
})

describe("a file is refused for", () => {
  for (const each of wrong) {
    it.effect(each.title, () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const [first, ...others] = each.says!
        assertRefused(yield* validate(cwd, each), 2, first!, ...others)
      })
    )
  }
})

describe("a file means the same with", () => {
  for (const each of alike) {
    it.effect(each.title, () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const hashes = []
        for (const one of [each, { title: "", text: each.as }]) {
          const { code, stderr, stdout } = yield* validate(cwd, one)
          assert.strictEqual(code, 0, stderr)
          hashes.push(JSON.parse(stdout).config_hash)
        }
        assert.strictEqual(hashes[0], hashes[1])
      })
    )
  }
})

describe("interpolate", () => {
  it("gives back what it was given, once dollar signs are doubled", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("$", "{", "}", "A", "a", ":", "-", "_", "1", " ") }), (text) => {
        const filled = interpolate(text.replaceAll("$", "$$$$"), {})
        assert.deepStrictEqual(filled._tag === "Success" && filled.success, { text, variables: [] })
      })
    )
  })

  it("puts in a value as it is, whatever it holds", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.constantFrom("$V", ...["V", "V:-x"].map((inner) => `\${${inner}}`)),
        (V, form) => {
          const filled = interpolate(`a ${form} b`, { V })
          assert.deepStrictEqual(filled._tag === "Success" && filled.success, { text: `a ${V} b`, variables: ["V"] })
        }
      )
    )
  })
})

describe("--env-file", () => {
  it.live(
    "gives variables to a file, of which those of the environment win, and a later file over an earlier",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        writeFileSync(join(cwd, "sluice.yaml"), `name: $A-$B-$C\nsource:\n  crawl: { url: "$URL" }\n${sinks}`)
        writeFileSync(join(cwd, "one.env"), 'A=one\nB=one\nC=one\nURL="https://quotes.example/#\u00e9" # a comment\n')
        writeFileSync(join(cwd, "two.env"), "# more\nexport B=two\n")
        const flags = ["--env-file", "one.env", "--env-file", "two.env"]
        const valid = yield* run(["validate", "--json", ...flags], { cwd, env: { C: "real" } })
        assert.strictEqual(valid.code, 0, valid.stderr)
        assert.strictEqual(JSON.parse(valid.stdout).pipeline, "one-two-real")
        const absent = yield* run(["validate", "--env-file", "absent.env"], { cwd })
        assertRefused(
          absent,
          2,
          "--env-file absent.env cannot be read: check that it is a file and that you may read it"
        )
        writeFileSync(join(cwd, "latin.env"), Buffer.from("A=1\nB=\u00e9", "latin1"))
        const latin = yield* run(["validate", "--env-file", "latin.env"], { cwd })
        assertRefused(latin, 2, "latin.env:2:3: this byte is no UTF-8; save the file as UTF-8")
      }),
    60_000
  )
})
