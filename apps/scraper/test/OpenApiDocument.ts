import { readFileSync } from "node:fs"
import { Ajv2020 } from "ajv/dist/2020.js"
import addFormats from "ajv-formats"
import { parse } from "yaml"

// biome-ignore lint/suspicious/noExplicitAny: a foreign document, read by name
type Json = { readonly [key: string]: any }

const file = new URL("../../../packages/contract/test/fixtures/openapi.yaml", import.meta.url)

/** The reference document of the wire, as it was written down; not the one that is generated from our schemas. */
const document: Json = parse(readFileSync(file, "utf8"))

const ajv = new Ajv2020({ strict: false, allErrors: true })
// The types of the package describe an ES default export, and it exports the function itself.
;(addFormats as unknown as typeof addFormats.default)(ajv)
ajv.addSchema({ $id: "openapi", ...document })

const escaped = (key: string) => key.replaceAll("~", "~0").replaceAll("/", "~1")

const resolve = (value: Json): Json =>
  typeof value.$ref === "string"
    ? value.$ref
        .slice(2)
        .split("/")
        .reduce((at: Json, key: string) => at[key], document)
    : value

/** Where a schema stands in the document, as a reference that is resolved within it. */
const pointer = (...keys: ReadonlyArray<string>) => ({ $ref: `openapi#/${keys.map(escaped).join("/")}` })

/** What is wrong with a value; nothing is an empty string. */
export type Validate = (value: unknown) => string

const validator = (schema: object): Validate => {
  const validate = ajv.compile(schema)
  return (value) => (validate(value) ? "" : ajv.errorsText(validate.errors))
}

/** Validates against a named schema. */
export const schemaNamed = (name: string): Validate => validator(pointer("components", "schemas", name))

/** A parameter of a query with its schema. */
export interface QueryParameter {
  readonly name: string
  readonly schema: Json
}

/** One operation of the document. */
export interface Operation {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly needsKey: boolean
  readonly query: ReadonlyArray<QueryParameter>
  /** The statuses it lists, `default` among them. */
  readonly statuses: ReadonlyArray<string>
  /** Validates the body of an answer; undefined where a status has none. */
  readonly answer: (status: string) => Validate | undefined
  readonly request: { readonly properties: Json; readonly validate: Validate } | undefined
}

const methods = ["get", "post", "put", "patch", "delete"]

const requestOf = (operation: Json): Operation["request"] => {
  const schema: Json | undefined = operation.requestBody?.content["application/json"].schema
  if (schema === undefined) return undefined
  const name: string = schema.$ref.split("/").at(-1)
  return { properties: resolve(schema).properties, validate: schemaNamed(name) }
}

/** Where the schema of a status stands: beside the operation, or among the answers they share. */
const answerOf = (path: string, method: string, responses: Json) => (status: string) => {
  const shared: string | undefined = responses[status].$ref
  const place = shared === undefined ? ["paths", path, method, "responses", status] : shared.slice(2).split("/")
  if (resolve(responses[status]).content === undefined) return undefined
  return validator(pointer(...place, "content", "application/json", "schema"))
}

/** Every operation of the document. */
export const operations: ReadonlyArray<Operation> = Object.entries<Json>(document.paths).flatMap(([path, item]) =>
  methods
    .filter((method) => method in item)
    .map((method): Operation => {
      const operation: Json = item[method]
      const parameters: ReadonlyArray<Json> = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(resolve)
      return {
        id: operation.operationId,
        method: method.toUpperCase(),
        path,
        needsKey: (operation.security ?? document.security).length > 0,
        query: parameters
          .filter((parameter) => parameter.in === "query")
          .map(({ name, schema }) => ({ name, schema: resolve(schema) })),
        statuses: Object.keys(operation.responses),
        answer: answerOf(path, method, operation.responses),
        request: requestOf(operation)
      }
    })
)

/** A value of a query that its schema allows, and one it does not, where it says anything at all. */
export const samplesOf = ({ schema }: QueryParameter): { readonly good: string; readonly bad: string | undefined } => {
  if (schema.enum !== undefined) return { good: schema.enum[0], bad: "nonsense" }
  if (schema.type === "integer") return { good: String(schema.maximum ?? 1), bad: String(schema.minimum - 1) }
  if (schema.format === "date-time") return { good: "2026-01-01T00:00:00Z", bad: "yesterday" }
  return { good: "text", bad: undefined }
}
