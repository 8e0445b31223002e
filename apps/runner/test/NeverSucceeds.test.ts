import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { canary, directory, filesIn } from "./Cli.ts"
import { inProcess } from "./inProcess.ts"

interface Parts {
  readonly [member: string]: unknown
}

const crawl = { url: "https://quotes.example/", limit: 25 }
const good: Parts = { name: "quotes", source: { crawl }, sinks: [{ postgres: {} }] }
const urls = ["https://a.example/", "https://b.example/"]
const lake = {
  bucket: "lake",
  endpoint: "https://store.example",
  access_key_id: "a",
  secret_access_key: canary.password
}

/** What makes no sense, and the sentences about it, each behind its path. */
const never: Readonly<Record<string, readonly [Parts, ReadonlyArray<string>]>> = {
  "more pages than the limit": [
    { expect: { min_pages: 26 } },
    ["expect.min_pages: can never be met: source.crawl.limit allows at most 25 pages"]
  ],
  "more pages than a crawl can have": [
    { source: { crawl: { url: crawl.url } }, expect: { min_pages: 10_001 } },
    ["expect.min_pages: can never be met: a crawl allows at most 10000 pages"]
  ],
  "two pages of one": [
    { source: { crawl: { ...crawl, depth: 1 } }, expect: { min_pages: 2 } },
    ["expect.min_pages: can never be met: source.crawl.depth: 1 allows at most 1 page"]
  ],
  "more pages than URLs to extract": [
    { source: { extract: { urls } }, expect: { min_pages: 3 } },
    ["expect.min_pages: can never be met: source.extract.urls allows at most 2 pages"]
  ],
  "more pages than URLs of a batch": [
    { source: { batch: { urls } }, expect: { min_pages: 3 } },
    ["expect.min_pages: can never be met: source.batch.urls allows at most 2 pages"]
  ],
  "more pages than a map alone": [
    { source: { map: { url: crawl.url } }, expect: { min_pages: 2 } },
    ["expect.min_pages: can never be met: a map without into allows at most 1 page"]
  ],
  "more pages than the budget": [
    { budget: { per_month: 10 }, expect: { min_pages: 11 } },
    ["expect.min_pages: can never be met: budget.per_month allows at most 10 pages"]
  ],
  "pages that transforms leave out": [
    { transforms: [{ select: { status: ["failed"] } }], expect: { min_pages: 1 } },
    ["expect.min_pages: can never be met: transforms keep no completed page"]
  ],
  "selects that keep nothing together": [
    { transforms: [{ select: { status: ["failed"] } }, { drop: ["html"] }, { select: { status: ["completed"] } }] },
    ["transforms.2.select.status: keeps no page that an earlier select has kept"]
  ],
  "a format that is not asked for": [
    { expect: { required: ["markdown", "html"] } },
    ["expect.required.1: can never be met: no page has html, since formats of the source do not ask for it"]
  ],
  "a member that is dropped": [
    { transforms: [{ drop: ["metadata", "links"] }], expect: { required: ["http_status", "links"] } },
    [
      "expect.required.0: can never be met: no page has http_status, since transforms drop it",
      "expect.required.1: can never be met: no page has links, since transforms drop it"
    ]
  ],
  "links that an extraction does not bring": [
    { source: { extract: { urls } }, expect: { required: ["links"] } },
    ["expect.required.0: can never be met: no page has links, since the source does not set extract_links"]
  ],
  "what a map does not bring": [
    { source: { map: { url: crawl.url } }, expect: { required: ["markdown"] } },
    ["expect.required.0: can never be met: no page has markdown, since a map without into brings links alone"]
  ],
  "a select of nothing": [
    { transforms: [{ select: {} }] },
    ["transforms.0.select: must have at least one of status, url and max_depth"]
  ],
  "credentials in URLs": [
    { source: { crawl: { ...crawl, url: `https://me:${canary.password}@quotes.example/` } } },
    [
      "source.crawl.url: must not hold a user name or a password: they would be written into tables and receipts; send them as headers"
    ]
  ],
  "a user name in one URL of many": [
    { source: { batch: { urls: [...urls, "https://me@c.example/"] } } },
    [
      "source.batch.urls.2: must not hold a user name or a password: they would be written into tables and receipts; send them as headers"
    ]
  ],
  "control characters and blanks in URLs": [
    { source: { extract: { urls: ["https://a.example/\u0000", "https://a.exa\nmple/", " https://a.example/"] } } },
    [0, 1, 2].map((at) => `source.extract.urls.${at}: must be an absolute http or https URL`)
  ],
  "headers nobody can send": [
    { source: { extract: { urls, headers: { "X A": "1", "": "2", "X-B": "a\r\nX-C: 1", "X-D": "a\u0000" } } } },
    [
      "source.extract.headers.X A: the name of a header holds no blanks, colons and control characters",
      "source.extract.headers.: the name of a header holds no blanks, colons and control characters",
      "source.extract.headers.X-B: must be a text without control characters, and no blanks around it",
      "source.extract.headers.X-D: must be a text without control characters, and no blanks around it"
    ]
  ],
  "a country that is none": [
    { source: { crawl: { ...crawl, proxy: { country: "Germany" } } } },
    ["source.crawl.proxy.country: must be a country as two letters, such as DE"]
  ],
  "control characters in names": [
    { sinks: [{ postgres: { name: "a\u0000b" } }, { directory: { name: "a\nb" } }] },
    [
      "sinks.0.postgres.name: must be a text without NUL and control characters",
      "sinks.1.directory.name: must be a text without NUL and control characters"
    ]
  ],
  "paths that are none": [
    {
      sinks: [{ postgres: { directory: "~/db" } }, { directory: { path: "s3://lake/x" } }],
      spool: { path: "a\u0000" }
    },
    [
      "sinks.0.postgres.directory: must be a path; ~ is not read here, write $HOME",
      "sinks.1.directory.path: must be a path of this machine, and is an address",
      "spool.path: must be a path without NUL and control characters"
    ]
  ],
  "a server and a directory": [
    {
      sinks: [{ postgres: { url: "postgres://h/x", directory: "./db" } }],
      ledger: { url: "postgres://h/y", directory: "d" }
    },
    [
      "sinks.0.postgres.directory: has no effect with url: remove one of them",
      "ledger.directory: has no effect with url: remove one of them"
    ]
  ],
  "buckets that are none": [
    {
      sinks: ["s3://lake", "lake/x", "a", "la ke", ""].map((bucket, at) => ({
        s3: { ...lake, bucket, name: `s${at}` }
      }))
    },
    [0, 1, 2, 3, 4].map(
      (at) =>
        `sinks.${at}.s3.bucket: must be the name of a bucket: letters, digits, dots and hyphens, 3 at least, without s3:// and slashes`
    )
  ],
  "prefixes, regions and endpoints that are none": [
    {
      sinks: [
        { s3: { ...lake, prefix: "a\u0007/", region: "eu central" } },
        { s3: { ...lake, name: "b", endpoint: "store.example:9000" } },
        { s3: { ...lake, name: "c", endpoint: `https://me:${canary.password}@store.example` } },
        { s3: { ...lake, name: "d", endpoint: "https://store.example/?x=1", prefix: `${"x".repeat(700)}/` } }
      ]
    },
    [
      "sinks.0.s3.prefix: must be a text without NUL and control characters",
      "sinks.0.s3.region: must be the name of a region, such as eu-central-1",
      "sinks.1.s3.endpoint: must be an absolute http or https URL",
      "sinks.2.s3.endpoint: must not hold a user name or a password",
      "sinks.3.s3.prefix: must be a prefix of 700 characters at most",
      "sinks.3.s3.endpoint: must end with its path, without ? and #"
    ]
  ],
  "an API that is none": [
    { api: { base_url: "ftp://api.example", key: "a\nb" } },
    [
      "api.base_url: must be an absolute http or https URL",
      "api.key: must be a key without blanks, line breaks and control characters"
    ]
  ],
  "two sinks of one table": [
    {
      sinks: [
        { postgres: { url: "postgres://a:b@h/x" } },
        { postgres: { url: "postgres://c@h:5432/x?application_name=y", name: "b" } },
        { postgres: { url: "postgres://a:b@h/x", schema: "other", name: "c" } }
      ]
    },
    ["sinks.1: writes to the same place as sinks.0: give it another one"]
  ],
  "two sinks of one prefix, and of one directory": [
    {
      sinks: [
        { s3: lake },
        { s3: { ...lake, name: "b", access_key_id: "c" } },
        { s3: { ...lake, name: "c", prefix: "c/" } },
        { directory: { path: "./lake" } },
        { directory: { path: "lake/", name: "e" } },
        { postgres: {} },
        { postgres: { directory: ".sluice/../.sluice/postgres", name: "g" } }
      ]
    },
    [
      "sinks.1: writes to the same place as sinks.0: give it another one",
      "sinks.4: writes to the same place as sinks.3: give it another one",
      "sinks.6: writes to the same place as sinks.5: give it another one"
    ]
  ],
  "files inside an embedded database": [
    {
      sinks: [{ postgres: { directory: "./db" } }, { directory: { path: "./db/lake" } }],
      vault: { directory: { path: "db" } }
    },
    [
      "sinks.1: is inside the directory of an embedded database: name another one",
      "vault.directory: is inside the directory of an embedded database: name another one"
    ]
  ],
  "a spool in the vault": [
    { vault: { directory: { path: "./kept" } }, spool: { path: "kept/" } },
    ["spool.path: is the vault's directory, and what has been loaded is removed from a spool"]
  ]
}

/** What looks like the above and works. */
const fine: Readonly<Record<string, Parts>> = {
  "as many pages as the limit": { expect: { min_pages: 25, required: ["markdown", "links", "http_status"] } },
  "more pages than a map has, of what it leads to": {
    source: { map: { url: crawl.url, into: { batch: {} } } },
    expect: { min_pages: 5000 }
  },
  "links that were asked for": {
    source: { extract: { urls, extract_links: true } },
    expect: { required: ["links"], min_pages: 2 }
  },
  "a share of none": { expect: { required: ["html"], required_share: 0 } },
  "headers with tabs and UTF-8": { source: { batch: { urls, headers: { "X-A": "a\tb", "x.b": "ü" } } } },
  "one server with two schemas": {
    sinks: [{ postgres: { url: "postgres://h/x" } }, { postgres: { url: "postgres://h/x", schema: "b", name: "b" } }]
  },
  "prefixes beside each other": {
    sinks: [{ s3: { ...lake, prefix: "a/" } }, { s3: { ...lake, prefix: "b/", name: "b" } }]
  },
  "a bucket of AWS's access points": {
    sinks: [{ s3: { ...lake, bucket: "arn:aws:s3:eu-central-1:123456789012:accesspoint/a" } }]
  },
  "an address with an @ in its path": { source: { crawl: { ...crawl, url: "https://quotes.example/@me?a=b@c" } } }
}

const validate = Effect.fnUntraced(function* (cwd: string, parts: Parts) {
  const file = join(cwd, "p.json")
  writeFileSync(file, JSON.stringify({ ...good, ...parts }))
  const finished = yield* inProcess(["validate", file])
  for (const secret of Object.values(canary)) assert.notInclude(finished.stderr, secret)
  assert.deepStrictEqual(filesIn(cwd), ["p.json"])
  return finished
})

describe("validate refuses", () => {
  for (const [title, [parts, says]] of Object.entries(never)) {
    it.effect(title, () =>
      Effect.gen(function* () {
        const { code, stderr } = yield* validate(yield* directory, parts)
        const lines = stderr
          .trimEnd()
          .split("\n")
          .map((line) => line.replace(/^sluice: \S+p\.json:1:\d+: /, ""))
        assert.sameMembers(lines, [...says])
        assert.strictEqual(code, 2)
      })
    )
  }
})

describe("validate takes", () => {
  for (const [title, parts] of Object.entries(fine)) {
    it.effect(title, () =>
      Effect.gen(function* () {
        const { code, stderr } = yield* validate(yield* directory, parts)
        assert.deepStrictEqual([code, stderr], [0, ""])
      })
    )
  }
})
