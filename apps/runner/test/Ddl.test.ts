import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Sink } from "@sluice/core"
import { Directory, S3 } from "@sluice/sink-s3"
import { sampleRecord, startRun } from "@sluice/testkit"
import { createS3Bucket, S3Server } from "@sluice/testkit/s3"
import { Effect, Redacted } from "effect"
import { assertRefused, canary, directory, run } from "./Cli.ts"

const pipeline = (...sinks: ReadonlyArray<string>) => `name: suite
source:
  crawl: { url: https://quotes.example/ }
sinks:
${sinks.map((sink) => `  - ${sink}\n`).join("")}`

const publish = Effect.fnUntraced(function* (sink: Sink) {
  const { publish, write } = yield* startRun(sink, yield* sink.connect)
  yield* write(1, [sampleRecord("https://quotes.example/")])
  yield* publish
})

describe("ddl", () => {
  it.live(
    "prints what reads a directory, of one sink and one dataset if so asked",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const file = join(cwd, "sluice.yaml")
        writeFileSync(file, pipeline("directory: { path: lake }", "directory: { path: other, name: second }"))
        assertRefused(
          yield* run(["ddl", "duckdb"], { cwd, alone: true }),
          2,
          "sluice.yaml has several s3 or directory sinks: say --sink directory or --sink second"
        )
        assertRefused(
          yield* run(["ddl", "duckdb", "--sink", "third"], { cwd }),
          2,
          "sluice.yaml has no s3 or directory sink of that name: say --sink directory or --sink second"
        )
        const asked = ["ddl", "duckdb", "--sink", "second"]
        assertRefused(
          yield* run(asked, { cwd }),
          2,
          'no run of pipeline "suite" has been published in other: run it first'
        )
        const options = { path: join(cwd, "other"), name: "second" }
        yield* publish(Directory.sink(options))
        const [all, links] = yield* Effect.forEach(
          [asked, [...asked, "--dataset", "links", "--schema", "crawled"]],
          (args) => run(args, { cwd })
        )
        const expected = { engine: "duckdb", pipeline: "suite" } as const
        assert.deepStrictEqual(all, {
          code: 0,
          stdout: `${yield* Directory.loadStatements(options, expected)}\n`,
          stderr: ""
        })
        assert.match(all!.stdout, /VIEW "suite"."dead_letters"/)
        const only = { ...expected, datasets: ["links"], schema: "crawled" } as const
        assert.strictEqual(links!.stdout, `${yield* Directory.loadStatements(options, only)}\n`)
        assert.match(links!.stdout, /VIEW "crawled"."links"/)
        assertRefused(
          yield* run(["ddl", "snowflake", "--sink", "second"], { cwd }),
          2,
          "snowflake reads no local directory: use duckdb, or a sink to a bucket"
        )
        assertRefused(
          yield* run([...asked, "--schema", "a b"], { cwd }),
          2,
          "a schema is named by letters, digits and _, at most 128 characters"
        )
      }),
    120_000
  )

  it.live(
    "prints what reads a bucket, without its credentials",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const server = yield* S3Server.make({ accessKeyId: canary.password, secretAccessKey: canary.apiKey })
        const bucket = yield* createS3Bucket(server)
        const place = { bucket, prefix: "crawls/", endpoint: server.endpoint, region: server.region }
        yield* publish(
          S3.sink({ ...place, access_key_id: server.accessKeyId, secret_access_key: server.secretAccessKey })
        )
        const settings = `bucket: ${bucket}, prefix: crawls/, endpoint: "${server.endpoint}", region: ${server.region}`
        writeFileSync(
          join(cwd, "sluice.yaml"),
          pipeline(`s3: { ${settings}, access_key_id: $KEY_ID, secret_access_key: $SECRET }`)
        )
        const env = { KEY_ID: server.accessKeyId, SECRET: canary.apiKey }
        const printed = yield* run(["ddl", "snowflake", "--dataset", "pages"], { cwd, env })
        assert.strictEqual(printed.code, 0, printed.stderr)
        assert.include(printed.stdout, `URL = 's3compat://${bucket}/crawls/'`)
        assert.match(printed.stdout, /'dataset=pages\/pipeline=suite\/run=[^/]+\/part-0001-000001.jsonl.gz'/)
        const manifest = ["ddl", "redshift", "--manifest", "pages"]
        assertRefused(
          yield* run(manifest, { cwd, env }),
          2,
          "Redshift reads buckets of Amazon S3 alone, and the endpoint of this sink is another store"
        )
        assertRefused(
          yield* run(["ddl", "athena", "--manifest", "pages"], { cwd, env }),
          2,
          "--manifest needs the engine redshift: remove it"
        )
        assertRefused(
          yield* run(["ddl", "duckdb"], { cwd, env: { ...env, SECRET: "wrong" } }),
          1,
          `the secret key does not belong to the access key (read s3://${bucket}/crawls/_sluice/pipeline=suite/latest.json)`
        )
      }),
    120_000
  )

  it.live(
    "prints the manifest a COPY of Redshift reads",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const server = yield* S3Server.make()
        const bucket = yield* createS3Bucket(server)
        const keys = { access_key_id: server.accessKeyId, secret_access_key: server.secretAccessKey }
        yield* publish(S3.sink({ bucket, endpoint: server.endpoint, region: server.region, ...keys }))
        writeFileSync(join(cwd, "sluice.yaml"), pipeline(`s3: { bucket: ${bucket}, path_style: true }`))
        // To the file this is a bucket of Amazon, which it has to be for Redshift.
        const env = {
          AWS_ENDPOINT_URL_S3: server.endpoint,
          AWS_REGION: server.region,
          AWS_ACCESS_KEY_ID: server.accessKeyId,
          AWS_SECRET_ACCESS_KEY: Redacted.value(server.secretAccessKey)
        }
        const { code, stderr, stdout } = yield* run(["ddl", "redshift", "--manifest", "pages"], { cwd, env })
        assert.strictEqual(code, 0, stderr)
        const { entries } = JSON.parse(stdout)
        assert.lengthOf(entries, 1)
        assert.match(entries[0].url, new RegExp(`^s3://${bucket}/dataset=pages/pipeline=suite/run=[^/]+/part-`))
        assert.isAbove(entries[0].meta.content_length, 0)
        const statements = yield* run(["ddl", "redshift"], { cwd, env })
        assert.include(
          statements.stdout,
          `FROM 's3://${bucket}/_sluice/pipeline=suite/redshift/pages.jsonl.gz.manifest'`
        )
        assertRefused(
          yield* run(["ddl", "redshift", "--manifest", "dead_letters"], { cwd, env }),
          2,
          /^sluice: no part of dead_letters has been published: name one of pages.jsonl.gz, links.jsonl.gz, /
        )
      }),
    120_000
  )

  it.live(
    "refuses an engine it does not know, and a pipeline without objects",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        writeFileSync(join(cwd, "sluice.yaml"), pipeline("postgres: {}"))
        assertRefused(yield* run(["ddl", "duckdb"], { cwd }), 2, "sluice.yaml has no s3 or directory sink")
        assertRefused(
          yield* run(["ddl", "oracle"], { cwd }),
          2,
          /^sluice: Invalid value for argument <ENGINE>: "oracle".*see: sluice ddl --help$/
        )
      }),
    120_000
  )
})
