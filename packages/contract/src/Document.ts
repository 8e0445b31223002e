import { Schema } from "effect"
import { HttpApi, type HttpApiGroup, type OpenApi } from "effect/http-api"

type Json = { readonly [key: string]: unknown }

const isRecord = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

const says = (key: string, value: unknown): boolean =>
  !(key === "additionalProperties" && value === false) &&
  !(key === "maximum" && value === Number.MAX_SAFE_INTEGER) &&
  !(key === "minimum" && value === Number.MIN_SAFE_INTEGER)

/**
 * Omits what the generator says of every schema: that objects are closed, where readers of this wire ignore members
 * they do not know, and that whole numbers are safe integers.
 */
const tidy = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(tidy)
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => says(key, inner))
      .map(([key, inner]) => [key, tidy(inner)])
  )
}

/** The whole numbers of a query. The generator says how they are spelled in a URL, which is a string with a pattern. */
const integers = (query: Schema.Top | undefined): { readonly [name: string]: Json } => {
  const properties = query === undefined ? {} : Schema.toJsonSchemaDocument(Schema.toType(query)).schema.properties
  return Object.fromEntries(
    Object.entries(properties ?? {}).flatMap(([name, schema]) =>
      isRecord(schema) && schema.type === "integer" ? [[name, tidy(schema) as Json]] : []
    )
  )
}

/**
 * Finishes the generated OpenAPI document of an API: operations carry their bare names as ids, whole numbers in a query
 * are integers, and schemas say only what the wire promises.
 */
export const finish =
  <Id extends string, Groups extends HttpApiGroup.Constraint>(api: HttpApi.HttpApi<Id, Groups>) =>
  (spec: Record<string, unknown>): Record<string, unknown> => {
    const document = tidy(spec) as OpenApi.OpenAPISpec
    HttpApi.reflect(api, {
      onGroup: () => {},
      onEndpoint: ({ endpoint }) => {
        const path = endpoint.path.replace(/:(\w+)/g, "{$1}")
        const operation = document.paths[path]?.[endpoint.method.toLowerCase() as OpenApi.OpenAPISpecMethodName]
        if (operation === undefined) return
        operation.operationId = endpoint.identifier
        const numbers = integers(endpoint.query)
        for (const parameter of operation.parameters) {
          const number = parameter.in === "query" ? numbers[parameter.name] : undefined
          if (number !== undefined) parameter.schema = number
        }
      }
    })
    return { ...document }
  }
