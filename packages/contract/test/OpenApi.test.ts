import { assert, describe, it } from "@effect/vitest"
import { openApi } from "../src/index.ts"
import { differences, type Json, resolve, shapeOf } from "./JsonShape.ts"
import { reference } from "./reference.ts"

interface Difference {
  /** Path of the reference document. In all of `path`, `operation` and `what`, `*` stands for any text. */
  readonly path: string
  readonly operation: string
  readonly what: string
  readonly why: string
}

/** Every way in which the contract deliberately differs from the reference document. */
const deliberate: ReadonlyArray<Difference> = [
  {
    path: "/v1/*",
    operation: "*",
    what: "default: missing",
    why: "HttpApi names statuses one by one. Those of the documentation are named; any other answer fails as a status."
  },
  {
    path: "/health",
    operation: "get",
    what: "4XX: missing",
    why: "The same, for the one call without a key: nothing in it can be refused."
  },
  { path: "/v1/*", operation: "*", what: "500: added", why: "What `default` covers there: the server broke." },
  {
    path: "/v1/*",
    operation: "*",
    what: "501: added",
    why: "What `default` covers there: a self-hosted server that does not offer the operation."
  },
  {
    path: "/v1/*",
    operation: "*",
    what: "429: added",
    why: "The documentation throttles per key and lists 429 on the calls that cost; polling a key too fast is throttled too."
  },
  {
    path: "/v1/usage",
    operation: "get",
    what: "422: added",
    why: "The middleware that answers 422 stands before every call with a key; this one has nothing to refuse yet."
  },
  {
    path: "/v1/search",
    operation: "post",
    what: "422 or {code,correlation_id,message,retryable}: added",
    why: "contract.md, 8.1: a 422 of search can have three shapes, the envelope included. The document names two."
  },
  {
    path: "/v1/*",
    operation: "*",
    what: '20*.job_id: format "uuid", here none',
    why: "One JobId for all jobs; the reference types that of extractions as any string, so reading takes any string."
  },
  {
    path: "/v1/*/jobs",
    operation: "get",
    what: '200.jobs[].job_id: format "uuid", here none',
    why: "The same, in lists."
  },
  {
    path: "/v1/webhooks/{webhook_id}/deliveries",
    operation: "get",
    what: '200.items[].*id: format "uuid", here none',
    why: "Ids that are only handed on are read as any string."
  },
  {
    path: "webhooks",
    operation: "jobCompleted",
    what: "missing",
    why: "HttpApi describes calls to the service, not from it; the body is the schema WebhookEnvelope."
  }
]

const contract: Json = openApi()
const methods = ["get", "put", "post", "delete", "patch", "head", "options", "trace"]

const operationsOf = (document: Json) =>
  Object.entries<Json>(document.paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((method) => methods.includes(method))
      .map((method) => {
        const parameters: ReadonlyArray<Json> = [...(item.parameters ?? []), ...(item[method].parameters ?? [])]
        return {
          path,
          method,
          operation: item[method] as Json,
          parameters: new Map(
            parameters.map((raw) => {
              const parameter = resolve(document, raw)
              return [`${parameter.in} ${parameter.name}`, parameter] as const
            })
          )
        }
      })
  )

const body = (document: Json, holder: Json | undefined) => {
  const content: Json | undefined = holder === undefined ? undefined : resolve(document, holder).content
  assert.includeMembers(["application/json"], Object.keys(content ?? {}), "a body that is not JSON")
  const schema = content?.["application/json"]?.schema
  return schema === undefined ? undefined : shapeOf(document, schema)
}

const keys = (a: Json | ReadonlyMap<string, unknown>, b: Json | ReadonlyMap<string, unknown>) =>
  new Set([a, b].flatMap((value) => (value instanceof Map ? [...value.keys()] : Object.keys(value))))

const compareBodies = (place: string, theirs: Json | undefined, ours: Json | undefined): ReadonlyArray<string> => {
  const [a, b] = [body(reference, theirs), body(contract, ours)]
  if (a === undefined || b === undefined)
    return a === b ? [] : [`${place}: body ${a === undefined ? "added" : "missing"}`]
  return differences(place, a, b)
}

const compareOperations = (
  theirs: ReturnType<typeof operationsOf>[number],
  ours: ReturnType<typeof operationsOf>[number]
): ReadonlyArray<string> => {
  const lines: Array<string> = []
  const compare = (what: string, a: unknown, b: unknown) => {
    if (JSON.stringify(a) !== JSON.stringify(b)) lines.push(`${what} ${JSON.stringify(a)}, here ${JSON.stringify(b)}`)
  }
  compare("operationId", theirs.operation.operationId, ours.operation.operationId)
  compare("tags", theirs.operation.tags, ours.operation.tags)
  compare("security", theirs.operation.security ?? reference.security, ours.operation.security)
  for (const key of keys(theirs.parameters, ours.parameters)) {
    const [a, b] = [theirs.parameters.get(key), ours.parameters.get(key)]
    if (a === undefined || b === undefined) {
      lines.push(`${key}: ${a === undefined ? "added" : "missing"}`)
    } else {
      compare(`${key}: required`, a.required ?? false, b.required ?? false)
      lines.push(...differences(key, shapeOf(reference, a.schema), shapeOf(contract, b.schema)))
    }
  }
  compare("body: required", theirs.operation.requestBody?.required, ours.operation.requestBody?.required)
  lines.push(...compareBodies("body", theirs.operation.requestBody, ours.operation.requestBody))
  for (const status of keys(theirs.operation.responses, ours.operation.responses)) {
    const [a, b] = [theirs.operation.responses[status], ours.operation.responses[status]]
    if (a === undefined || b === undefined) lines.push(`${status}: ${a === undefined ? "added" : "missing"}`)
    else lines.push(...compareBodies(status, a, b))
  }
  return lines
}

const found = (() => {
  const [theirs, ours] = [operationsOf(reference), operationsOf(contract)]
  const same = (a: (typeof theirs)[number]) => (b: (typeof theirs)[number]) =>
    a.path === b.path && a.method === b.method
  const at = ({ path, method: operation }: (typeof theirs)[number]) => ({ path, operation })
  return [
    ...theirs.flatMap((a) => {
      const b = ours.find(same(a))
      const lines = b === undefined ? ["missing"] : compareOperations(a, b)
      return lines.map((what) => ({ ...at(a), what }))
    }),
    ...ours.filter((b) => !theirs.some(same(b))).map((b) => ({ ...at(b), what: "added" })),
    ...Object.keys(reference.webhooks).map((operation) => ({ path: "webhooks", operation, what: "missing" }))
  ]
})()

const glob = (pattern: string) =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((part) => part.replace(/[^\w ]/g, "\\$&"))
      .join(".*")}$`
  )

const covers = (entry: Difference, difference: Omit<Difference, "why">) =>
  glob(entry.path).test(difference.path) &&
  glob(entry.operation).test(difference.operation) &&
  glob(entry.what).test(difference.what)

const show = ({ operation, path, what }: Omit<Difference, "why">) => `${operation} ${path}: ${what}`

describe("the generated OpenAPI document", () => {
  it("differs from the reference only where the table says so", () => {
    const unlisted = found.filter((difference) => !deliberate.some((entry) => covers(entry, difference)))
    assert.deepStrictEqual(unlisted.map(show), [])
  })

  it("still has every difference the table lists", () => {
    const stale = deliberate.filter((entry) => !found.some((difference) => covers(entry, difference)))
    assert.deepStrictEqual(stale.map(show), [])
  })

  it("has the reference's security schemes and tags", () => {
    assert.deepStrictEqual(contract.components.securitySchemes, reference.components.securitySchemes)
    const names = (document: Json) => document.tags.map((tag: Json) => tag.name)
    assert.deepStrictEqual(names(contract), names(reference))
  })

  it("leaves every object open", () => {
    assert.notInclude(JSON.stringify(contract), '"additionalProperties":false')
  })

  it("summarises every operation", () => {
    for (const { operation } of operationsOf(contract)) assert.isString(operation.summary, operation.operationId)
  })

  it("declares each list of jobs before the lookup beside it, for routers that go by order", () => {
    const paths = Object.keys(contract.paths)
    for (const list of paths.filter((path) => path.endsWith("/jobs"))) {
      assert.isBelow(paths.indexOf(list), paths.indexOf(list.replace("/jobs", "/{job_id}")), list)
    }
  })
})
