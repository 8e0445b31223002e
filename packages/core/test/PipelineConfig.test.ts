import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Pipeline } from "../src/Pipeline.ts"
import { decodeConfig } from "../src/pipeline/ConfigInvalid.ts"
import {
  pipelineFromConfig,
  pipelineJsonSchema,
  pipelineOf,
  pipelineSchema,
  type SinkFactory
} from "../src/pipeline/PipelineConfig.ts"
import { Transform } from "../src/record/Transform.ts"
import type { Sink } from "../src/sink/Sink.ts"
import { Batch } from "../src/source/Batch.ts"
import { Crawl } from "../src/source/Crawl.ts"
import { Extract } from "../src/source/Extract.ts"
import { SiteMap } from "../src/source/SiteMap.ts"

const StoreOptions = Schema.Struct({
  url: Schema.optionalKey(Schema.String),
  name: Schema.optionalKey(Schema.String),
  mode: Schema.optionalKey(Schema.Literals(["merge", "append"]))
})

/** A sink that is never opened. */
const store = (options: typeof StoreOptions.Type = {}): Sink => ({
  kind: "store",
  name: options.name ?? "store",
  behaviour: { mode: options.mode ?? "merge" },
  connect: Effect.never
})

const factory: SinkFactory<typeof StoreOptions.Type> = { kind: "store", schema: StoreOptions, make: store }

const read = (config: unknown) => pipelineFromConfig(config, [factory])

const secret = "s3cr3t-value"
const good = { name: "quotes", source: { crawl: { url: "https://site.test/", limit: 500 } }, sinks: [{ store: {} }] }

/** The issues of a configuration as lines of path and message. */
const issuesOf = (config: unknown) =>
  Effect.map(Effect.flip(read(config)), (error) => {
    assert.notInclude(JSON.stringify(error), secret)
    assert.notInclude(error.message, secret)
    assert.notInclude(`${error.stack}`, secret)
    return error.issues.map(({ message, path }) => `${path.join(".")}: ${message}`)
  })

describe("pipelineFromConfig", () => {
  const wrong: Readonly<Record<string, readonly [unknown, ReadonlyArray<string | RegExp>]>> = {
    "an unknown field at the top": [{ ...good, sink: secret }, ['sink: unknown field "sink"; did you mean "sinks"?']],
    "an unknown field of a source": [
      { ...good, source: { crawl: { url: "https://site.test/", limt: 5 } } },
      ['source.crawl.limt: unknown field "limt"; did you mean "limit"?']
    ],
    "an unknown field of a sink": [
      { ...good, sinks: [{ store: { mod: "merge" } }] },
      ['sinks.0.store.mod: unknown field "mod"; did you mean "mode"?']
    ],
    "an unknown kind of sink": [
      { ...good, sinks: [{ stor: {} }] },
      [/^sinks\.0\.stor: unknown field "stor"; did you mean "store"\?$/]
    ],
    "an unknown field like no other": [
      { ...good, sinks: [{ store: { xyzzyx: 1 } }] },
      ['sinks.0.store.xyzzyx: unknown field "xyzzyx" (known: url, name, mode)']
    ],
    "a wrong type": [
      { ...good, source: { crawl: { url: "https://site.test/", limit: secret } } },
      [/^source\.crawl\.limit: must be /]
    ],
    "a number out of range": [
      { ...good, source: { crawl: { url: "https://site.test/", depth: 11 } } },
      [/^source\.crawl\.depth: must be .*10/]
    ],
    "a value of no list": [
      { ...good, sinks: [{ store: { mode: secret } }] },
      ['sinks.0.store.mode: must be one of "merge", "append"']
    ],
    "a format that is none": [
      { ...good, source: { crawl: { url: "https://site.test/", formats: ["markdown", secret] } } },
      ['source.crawl.formats.1: must be one of "markdown", "html"']
    ],
    "a missing field": [{ ...good, source: { crawl: {} } }, ["source.crawl.url: is required"]],
    "a missing name": [{ source: good.source, sinks: good.sinks }, ["name: is required"]],
    "a URL that is none": [
      { ...good, source: { crawl: { url: secret } } },
      ["source.crawl.url: must be an absolute http or https URL"]
    ],
    "a name that is none": [{ ...good, name: `${secret} !` }, [/^name: must be a name of letters/]],
    "no source": [{ ...good, source: {} }, ["source: must be exactly one of crawl, extract, batch, map"]],
    "two sources": [
      { ...good, source: { ...good.source, map: { url: "https://site.test/" } } },
      ["source: must be exactly one of crawl, extract, batch, map"]
    ],
    "no sink": [{ ...good, sinks: [] }, ["sinks: must be at least one sink"]],
    "an empty list": [{ ...good, source: { batch: { urls: [] } } }, [/^source\.batch\.urls: /]],
    "a policy that is none": [{ ...good, drift: secret }, ['drift: must be one of "keep", "ignore", "fail"']],
    "a share that is none": [
      { ...good, quarantine: { max_share: 2, min_records: 0 } },
      [/^quarantine\.max_share: must be .*1/, /^quarantine\.min_records: must be .*1/]
    ],
    "a transform that does two things": [
      { ...good, transforms: [{ select: { status: ["failed"] }, drop: ["html"] }] },
      ["transforms.0: must be exactly one of select, drop"]
    ],
    "two sinks of one name": [
      { ...good, sinks: [{ store: {} }, { store: {} }] },
      ['sinks.1: there is another sink named "store": give one of them a name']
    ],
    "text instead of a pipeline": [secret, [/^: must be /]],
    nothing: [null, [/^: must be /]],
    "a list": [[good], [/^: must be /]]
  }
  for (const [what, [config, expected]] of Object.entries(wrong)) {
    it.effect(`names ${what}`, () =>
      Effect.gen(function* () {
        const issues = yield* issuesOf(config)
        assert.strictEqual(issues.length, expected.length, issues.join("\n"))
        expected.forEach((line, index) => {
          if (typeof line === "string") assert.strictEqual(issues[index], line)
          else assert.match(issues[index] ?? "", line)
        })
      })
    )
  }

  it.effect("names everything that is wrong at once", () =>
    Effect.gen(function* () {
      const issues = yield* issuesOf({
        name: 7,
        source: { crawl: { url: secret, limit: "many", renderjs: true } },
        transforms: [{ drop: ["htm"] }],
        sinks: [{ store: { url: 7 } }],
        shedule: secret
      })
      const paths = issues.map((line) => line.split(":")[0])
      assert.sameMembers(paths, [
        "name",
        "source.crawl.url",
        "source.crawl.limit",
        "source.crawl.renderjs",
        "transforms.0.drop.0",
        "sinks.0.store.url",
        "shedule"
      ])
    })
  )

  it.effect("quotes no value, wherever a secret stands", () =>
    Effect.gen(function* () {
      const options = { url: secret, limit: secret, depth: secret, formats: secret, proxy: secret, wait_config: secret }
      const headers = { authorization: [secret] }
      for (const source of [
        { crawl: options },
        { crawl: { ...options, formats: [secret], proxy: { country: [secret], type: secret } } },
        { extract: { urls: [secret], headers, mode: secret, concurrency: secret } },
        { extract: { urls: secret, headers: secret } },
        { batch: { urls: [secret, { secret }], headers, batch_size: secret } },
        { map: { url: secret, into: secret, search: [secret] } },
        { map: { url: "https://site.test/", into: { extract: { mode: secret } } } },
        secret,
        [secret]
      ]) {
        yield* issuesOf({ ...good, source })
      }
      yield* issuesOf({ ...good, name: { secret } })
      yield* issuesOf({ ...good, transforms: [{ select: { status: [secret], url: 7, max_depth: secret } }, secret] })
      yield* issuesOf({ ...good, sinks: [secret, { store: secret }, { store: { mode: [secret], url: { secret } } }] })
    })
  )

  it.effect("reads the further members a program asks for", () =>
    Effect.gen(function* () {
      const config = { ...good, schedule: "0 3 * * *" }
      const refused = yield* issuesOf(config)
      assert.deepStrictEqual(
        refused.map((line) => line.split(":")[0]),
        ["schedule"]
      )
      const further = { schedule: Schema.optionalKey(Schema.String) }
      const decoded = yield* decodeConfig(pipelineSchema([factory], further), config)
      assert.strictEqual(decoded.schedule, "0 3 * * *")
      assert.strictEqual((yield* pipelineOf(decoded, [factory])).hash, (yield* read(good)).hash)
    })
  )

  it("has a JSON Schema that knows its members", () => {
    const text = JSON.stringify(pipelineJsonSchema([factory]))
    for (const member of ["crawl", "extract", "batch", "map", "store", "max_depth", "batch_size"])
      assert.include(text, `"${member}"`)
  })
})

describe("the hash of a pipeline", () => {
  it.effect("leaves out the policies, which a run may be gone on with under others", () =>
    Effect.gen(function* () {
      const plain = yield* read(good)
      assert.deepInclude(plain, { drift: "keep", quarantine: { max_share: 0.1, min_records: 20 } })
      const strict = yield* read({ ...good, drift: "fail", quarantine: { max_share: 0.5 } })
      assert.deepInclude(strict, { drift: "fail", quarantine: { max_share: 0.5, min_records: 100 }, hash: plain.hash })
    })
  )

  const pairs = {
    crawl: [
      { crawl: { url: "https://site.test/", limit: 500, formats: ["markdown"] } },
      Crawl.make({ url: "https://site.test/", limit: 500 })
    ],
    extract: [
      { extract: { urls: ["https://site.test/"], mode: "sync" } },
      Extract.make({ mode: "sync", urls: ["https://site.test/"], concurrency: 4, formats: ["markdown"] })
    ],
    batch: [
      { batch: { headers: { a: "1", b: "2" }, urls: ["https://site.test/"] } },
      Batch.make({ urls: ["https://site.test/"], headers: { b: "2", a: "1" }, batch_size: 1000 })
    ],
    map: [
      { map: { url: "https://site.test/", into: { batch: {} } } },
      SiteMap.make({ url: "https://site.test/", into: { batch: { formats: ["markdown"], batch_size: 1000 } } })
    ]
  } as const
  for (const [kind, [written, source]] of Object.entries(pairs)) {
    it.effect(`is the same for a file and for TypeScript: ${kind}`, () =>
      Effect.gen(function* () {
        const fromFile = yield* read({
          sinks: [{ store: { url: "postgres://somewhere", mode: "append" } }],
          transforms: [{ drop: ["html"] }, { select: { max_depth: 2, status: ["completed"] } }],
          source: written,
          name: "quotes"
        })
        const inCode = Pipeline.make({
          name: "quotes",
          source,
          transforms: [Transform.drop(["html"]), Transform.select({ status: ["completed"], max_depth: 2 })],
          sinks: [store({ mode: "append", url: "postgres://elsewhere" })]
        })
        assert.strictEqual(fromFile.hash, inCode.hash)
        assert.match(fromFile.hash, /^[0-9a-f]{64}$/)
      })
    )
  }

  it.effect("differs where the behaviour does", () =>
    Effect.gen(function* () {
      const { source } = good
      const drop = { drop: ["html"] }
      const select = { select: { max_depth: 2 } }
      const configs = [
        good,
        { ...good, name: "other" },
        { ...good, source: { crawl: { ...source.crawl, limit: 501 } } },
        { ...good, source: { crawl: { ...source.crawl, formats: ["html"] } } },
        { ...good, source: { crawl: { ...source.crawl, formats: ["markdown", "html"] } } },
        { ...good, source: { extract: { urls: ["https://site.test/"] } } },
        { ...good, source: { batch: { urls: ["https://site.test/"] } } },
        { ...good, source: { map: { url: "https://site.test/" } } },
        { ...good, transforms: [drop] },
        { ...good, transforms: [drop, select] },
        { ...good, transforms: [select, drop] },
        { ...good, sinks: [{ store: { mode: "append" } }] },
        { ...good, sinks: [{ store: { name: "second" } }] },
        { ...good, sinks: [{ store: {} }, { store: { name: "second" } }] }
      ]
      const hashes = yield* Effect.forEach(configs, (config) => Effect.map(read(config), ({ hash }) => hash))
      assert.strictEqual(new Set(hashes).size, configs.length)
    })
  )

  it("stands for a function by its name", () => {
    const source = Crawl.make({ url: "https://site.test/" })
    const of = (name: string) =>
      Pipeline.make({ name: "quotes", source, transforms: [Transform.map(name, (page) => page)], sinks: [store()] })
        .hash
    assert.strictEqual(of("a"), of("a"))
    assert.notStrictEqual(of("a"), of("b"))
  })
})

describe("Pipeline.make", () => {
  const source = Crawl.make({ url: "https://site.test/" })

  it("throws on what makes no pipeline", () => {
    assert.throws(() => Pipeline.make({ name: "p", source, sinks: [] }), /no sink/)
    assert.throws(() => Pipeline.make({ name: "p", source, sinks: [store(), store()] }), /two sinks named "store"/)
    assert.throws(() => Pipeline.make({ name: "no name", source, sinks: [store()] }), /name of letters/)
  })

  it("has sources that refuse options that make no sense", () => {
    assert.throws(() => Crawl.make({ url: "site.test" }))
    assert.throws(() => Crawl.make({ url: "https://site.test/", depth: 0 }))
    assert.throws(() => Batch.make({ urls: [] }))
    assert.throws(() => Extract.make({ urls: ["https://site.test/"], concurrency: 0 }))
  })
})
