import { assert, describe, it } from "@effect/vitest"
import { configJsonSchema, decodeConfig, pipelineSchema } from "@sluice/core/config"
import { Effect } from "effect"
import { machineFields } from "../src/ApiSettings.ts"
import { fieldTextOf, propertiesOf } from "../src/describeFields.ts"
import { fieldTexts } from "../src/fieldTexts.ts"
import { fileJsonSchema } from "../src/PipelineFile.ts"
import { pipelineSinks } from "../src/PipelineSinks.ts"

const schema = pipelineSchema(pipelineSinks((path) => path).factories, machineFields)
const plain = propertiesOf(configJsonSchema(schema))
const described = propertiesOf(fileJsonSchema())

const spelt = (value: unknown): string =>
  typeof value === "number" && value < Number.MAX_SAFE_INTEGER ? value.toLocaleString("en-US") : ""

describe("the JSON Schema of pipeline files", () => {
  it("describes each property: what it is for, its unit and bounds, and what holds when it is absent", () => {
    assert.isAbove(described.length, 140)
    for (const { key, property } of described) {
      const { description } = property
      assert.isString(description, key)
      const text = String(description)
      assert.match(text, /^\S.{10,}\. (?:Required\.|Default: .+\.|When absent: .+\.)$/s, key)
      const numbers = [property, ...(Array.isArray(property.anyOf) ? property.anyOf : [])].filter(
        ({ type }) => type === "integer" || type === "number"
      )
      if (numbers.some(({ minimum }) => minimum !== undefined)) assert.isDefined(fieldTextOf(key)?.unit, key)
      for (const { maximum, minimum } of numbers) {
        assert.include(text, spelt(minimum), key)
        assert.include(text, spelt(maximum), key)
      }
    }
  })

  it("has no text that no property uses", () => {
    const keys = plain.map(({ key }) => key)
    const unused = Object.keys(fieldTexts).filter(
      (text) => !keys.some((key) => key === text || (fieldTexts[key] === undefined && key.endsWith(`.${text}`)))
    )
    assert.deepStrictEqual(unused, [])
  })

  it.effect("names defaults that mean the same written out, wherever decoding fills them in", () =>
    Effect.gen(function* () {
      const decode = (config: unknown) => decodeConfig(schema, config)
      const source = { batch: { urls: ["https://a.example/"] } }
      const sinks = [{ postgres: {} }, { s3: { bucket: "lake" } }, { directory: {} }]
      const bare = { name: "a", source, sinks, quarantine: { max_share: 0.5 }, vault: { directory: {} }, spool: {} }
      const fallback = (definition: string, name: string) => fieldTextOf(`${definition}.${name}`)?.fallback
      const lake = ["mode", "format", "part_bytes", "success_marker", "name"]
      const filled = (definition: string, names: ReadonlyArray<string>) =>
        Object.fromEntries(names.map((name) => [name, fallback(definition, name)]))
      const written = {
        name: "a",
        source: { batch: { ...source.batch, ...filled("BatchOptions", ["formats", "batch_size"]) } },
        sinks: [
          { postgres: filled("PostgresSinkConfig", ["schema", "mode", "name"]) },
          { s3: { bucket: "lake", ...filled("S3SinkConfig", [...lake, "prefix", "conditional_writes"]) } },
          { directory: filled("DirectorySinkConfig", [...lake, "path"]) }
        ],
        quarantine: { max_share: 0.5, ...filled("Quarantine", ["min_records"]) },
        vault: { directory: filled("DirectoryVaultConfig", ["path"]) },
        spool: filled("SpoolConfig", ["path", "max_bytes"])
      }
      assert.deepStrictEqual(yield* decode(written), yield* decode(bare))
      const extract = { urls: ["https://a.example/"] }
      const short = yield* decode({ ...bare, source: { extract } })
      const long = { ...extract, ...filled("ExtractOptions", ["formats", "mode", "concurrency"]) }
      assert.deepStrictEqual(yield* decode({ ...bare, source: { extract: long } }), short)
    })
  )
})
