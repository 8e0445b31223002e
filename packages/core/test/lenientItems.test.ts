import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import type { JobKind } from "../src/record/JobSnapshot.ts"
import type { PageRecord } from "../src/record/PageRecord.ts"
import { deadLetterOf, findInvalid } from "../src/record/recordValidation.ts"
import { recordOfResult } from "../src/source/recordOfResult.ts"

const url = "https://site.test/"
const metadata = { http_status: 200, duration_ms: 120, retry_count: 2, tokens_charged: 1 }

/** A valid answer of each kind, with every member the contract knows. */
const valid = {
  crawl: {
    url,
    parent_url: "https://site.test/parent",
    depth: 3,
    status: "completed",
    error_code: "A_CODE",
    error_message: "a message",
    links: ["https://site.test/a", "https://site.test/b"],
    data: { markdown: "text", html: "<p>text</p>" },
    metadata
  },
  batch: {
    input_index: 4,
    url,
    status: "completed",
    error_code: "A_CODE",
    error_message: "a message",
    data: { markdown: "text", html: "<p>text</p>", links: ["https://site.test/a", "https://site.test/b"] },
    metadata
  },
  extract: {
    job_id: "job",
    status: "completed",
    created_at: "2026-01-01T00:00:00Z",
    completed_at: "2026-01-01T00:00:01Z",
    data: { markdown: "text", html: "<p>text</p>", links: ["https://site.test/a", "https://site.test/b"] },
    metadata: {
      url,
      render_js: true,
      http_status: 200,
      duration_ms: 120,
      retry_count: 2,
      formats: ["markdown"],
      processing_mode: "async",
      proxy: { country: "DE", type: "mix" },
      headers: { a: "b" },
      wait_config: { wait_until: "load", wait_for: "p", wait_timeout: 1 }
    },
    error: { code: "A_CODE", message: "a message", retryable: true, details: { a: "b" } },
    tokens_charged: 1
  }
} as const satisfies { readonly [K in Exclude<JobKind, "map">]: object }
type Kind = keyof typeof valid

/** The member of a record that a member of an answer becomes; those that are not named become none. */
const fields: { readonly [path: string]: keyof PageRecord } = {
  parent_url: "parentUrl",
  depth: "depth",
  error_code: "errorCode",
  error_message: "errorMessage",
  links: "links",
  "data.links": "links",
  "data.markdown": "markdown",
  "data.html": "html",
  "metadata.url": "url",
  "metadata.http_status": "httpStatus",
  "metadata.duration_ms": "durationMs",
  "metadata.retry_count": "retryCount",
  "metadata.tokens_charged": "tokensCharged",
  "error.code": "errorCode",
  "error.message": "errorMessage",
  tokens_charged: "tokensCharged"
}

/** What a record is known by. */
const identity: { readonly [K in Kind]: ReadonlyArray<string> } = {
  crawl: ["url", "status"],
  batch: ["status"],
  extract: ["status"]
}

type Json = { readonly [member: string]: unknown }
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

const pathsIn = (value: Json, before = ""): ReadonlyArray<string> =>
  Object.entries(value).flatMap(([name, inner]) => [
    `${before}${name}`,
    ...(isObject(inner) ? pathsIn(inner, `${before}${name}.`) : [])
  ])

const changed = (value: Json, path: string, change: (value: unknown) => unknown): Json => {
  const [name = "", ...rest] = path.split(".")
  const next = rest.length === 0 ? change(value[name]) : changed(value[name] as Json, rest.join("."), change)
  const { [name]: _, ...others } = value
  return next === undefined ? others : { ...value, [name]: next }
}

/** What servers make of a value. */
const mutation = fc.oneof(
  fc.constant(() => undefined),
  fc.constant(() => null),
  fc.constant((value: unknown) => [value]),
  fc.constant((value: unknown) => ({ value })),
  fc.constant((value: unknown) => (Array.isArray(value) ? [...value, null, 7, { a: 1 }] : String(value))),
  fc.constant((value: unknown) => (typeof value === "number" ? value + 0.25 : value)),
  fc
    .oneof(
      fc.jsonValue({ depthSize: "small" }),
      fc.constantFrom(0, -1, 0.5, 2 ** 31, 2 ** 53 + 2, 1e300, true, "", "N/A", "two", "12", "1e9", [], {}, [null]),
      fc.string({ unit: "binary" })
    )
    .map((value) => () => value)
)

const page = { jobId: "job", key: 1n, url, inputIndex: 4 }
const read = (kind: Kind, raw: Json): PageRecord | undefined =>
  recordOfResult(kind, page, JSON.parse(JSON.stringify(raw)))

/** Members that a change at a path may change in the record. */
const touched = (path: string): ReadonlySet<string> =>
  new Set(Object.entries(fields).flatMap(([from, to]) => (from === path || from.startsWith(`${path}.`) ? [to] : [])))

describe("an answer of which some value is not what the contract says", () => {
  for (const kind of ["crawl", "batch", "extract"] as const) {
    it(`${kind}: lands with all other values as they are`, () => {
      const clean = read(kind, valid[kind])
      assert.isDefined(clean)
      const paths = pathsIn(valid[kind]).filter((path) => !identity[kind].includes(path))
      const mutations = fc.array(fc.tuple(fc.constantFrom(...paths), mutation), { minLength: 1, maxLength: 3 })
      fc.assert(
        fc.property(mutations, (mutations) => {
          let raw: Json = valid[kind]
          const may = new Set<string>(["bytes", "extra", "unread"])
          for (const [path, change] of mutations) {
            const parent = path.split(".").slice(0, -1).join(".")
            const holder =
              parent === ""
                ? raw
                : parent.split(".").reduce<unknown>((at, name) => (isObject(at) ? at[name] : undefined), raw)
            if (!isObject(holder)) continue
            raw = changed(raw, path, change)
            for (const member of touched(path)) may.add(member)
          }
          const record = read(kind, raw)
          assert.isDefined(record)
          assert.isNull(record.refusal)
          for (const [member, value] of Object.entries(clean!)) {
            if (!may.has(member)) assert.deepStrictEqual(record[member as keyof PageRecord], value, member)
          }
          // A text that no table takes is still one that no table takes.
          if (deadLetterOf(record) !== undefined) assert.oneOf(findInvalid(record), ["nul_byte", "lone_surrogate"])
          // What was there and is not in the record is told, unless it is a filler.
          for (const name of record.unread ?? []) {
            const at = name
              .split(".")
              .reduce<unknown>((inner, part) => (isObject(inner) ? inner[part] : undefined), record.extra)
            assert.notStrictEqual(at, undefined, name)
          }
        }),
        { numRuns: 2000 }
      )
    })
  }

  it("lands as a clean one does whatever is left out", () => {
    for (const kind of ["crawl", "batch", "extract"] as const) {
      for (const path of pathsIn(valid[kind])) {
        if (identity[kind].includes(path)) continue
        for (const change of [() => undefined, () => null]) {
          const record = read(kind, changed(valid[kind], path, change))
          assert.isDefined(record, path)
          assert.deepInclude(record, { refusal: null, extra: null, url, status: "completed" }, path)
        }
      }
    }
  })

  it("is no page where it does not say how it ended", () => {
    for (const kind of ["crawl", "batch", "extract"] as const) {
      for (const status of [undefined, null, "done", 7, {}, ""]) {
        assert.isUndefined(read(kind, { ...valid[kind], status }))
      }
    }
  })
})
