import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import fc from "fast-check"
import { connectionSettings } from "../src/database/ConnectionSettings.ts"
import { parseConnectionString } from "../src/database/ConnectionString.ts"

const parsed = (text: string): unknown => {
  const result = parseConnectionString(text)
  return Result.isSuccess(result) ? Object.fromEntries(result.success) : `failed: ${result.failure}`
}

const settingsOf = (text: string) =>
  Result.getOrThrow(Result.mapError(connectionSettings(text), (why) => new Error(why)))

const refusalOf = (text: string): string => {
  const result = connectionSettings(text)
  return Result.isFailure(result) ? result.failure : "accepted"
}

const usual = { user: "me", password: "secret", host: "db.example", port: "5433", dbname: "crawls" }

describe("a connection string", () => {
  it("is taken as people have it", () => {
    for (const text of [
      "postgres://me:secret@db.example:5433/crawls",
      "  postgresql://me:secret@db.example:5433/crawls\n",
      "POSTGRES://me:secret@db.example:5433/crawls/",
      '"postgres://me:secret@db.example:5433/crawls"',
      "'postgres://me:secret@db.example:5433/crawls'",
      "postgresql+psycopg2://me:secret@db.example:5433/crawls",
      "postgresql+asyncpg://me:secret@db.example:5433/crawls",
      "jdbc:postgresql://db.example:5433/crawls?user=me&password=secret",
      "pgsql://me:secret@db.example:5433/crawls",
      "host=db.example port=5433 dbname=crawls user=me password=secret",
      "host = 'db.example'  port=5433 dbname='crawls' user=me password='secret'",
      "postgres:///crawls?host=db.example&port=5433&user=me&password=secret"
    ]) {
      assert.deepStrictEqual(parsed(text), usual, text)
    }
  })

  it("keeps every password, written by the rules", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (password) => {
        fc.pre(!/\p{Cc}/u.test(password) && password.isWellFormed())
        const uri = `postgres://me:${encodeURIComponent(password)}@db.example:5433/crawls?sslmode=disable`
        assert.deepStrictEqual(parsed(uri), { ...usual, password, sslmode: "disable" })
        const pairs = `user=me password='${password.replace(/[\\']/g, "\\$&")}' host=db.example port=5433 dbname=crawls`
        assert.deepStrictEqual(parsed(pairs), { ...usual, password })
      })
    )
  })

  it("keeps passwords whose special characters were not escaped", () => {
    const characters = fc.constantFrom(..."abc019%#/@:?&=!$+~^[]{}|<>\"' ;,.-_")
    fc.assert(
      fc.property(fc.array(characters, { minLength: 1, maxLength: 12 }), (some) => {
        const password = some.join("")
        // By the rules these are escapes; and this is the address of a host, for all anybody can tell.
        fc.pre(!/%[0-9a-f]{2}/i.test(password) && !/@[^@]*$/.test(`${password}`.replace(/^[^@]*/, "")))
        assert.deepStrictEqual(
          parsed(`postgres://me:${password}@db.example:5433/crawls`),
          { ...usual, password },
          password
        )
      }),
      { numRuns: 500 }
    )
    for (const password of [
      "p@ss",
      "a@b@c",
      "50%",
      "100%sure",
      "#1",
      "x/y",
      "a?b",
      "5/6",
      "5?x=y",
      "%%%",
      "@",
      "/",
      "p%zz@"
    ]) {
      assert.deepStrictEqual(
        parsed(`postgres://me:${password}@db.example:5433/crawls`),
        { ...usual, password },
        password
      )
    }
  })

  it("may name a socket, an address of IPv6, or nothing but a database", () => {
    assert.deepStrictEqual(parsed("postgres://%2Fvar%2Frun%2Fpostgresql/crawls"), {
      host: "/var/run/postgresql",
      dbname: "crawls"
    })
    assert.deepStrictEqual(parsed("host=/tmp dbname=crawls"), { host: "/tmp", dbname: "crawls" })
    assert.deepStrictEqual(parsed("postgres://me@[::1]:5433/crawls"), {
      user: "me",
      host: "::1",
      port: "5433",
      dbname: "crawls"
    })
    assert.deepStrictEqual(parsed("postgres:///crawls"), { dbname: "crawls" })
    assert.deepStrictEqual(settingsOf("host=/tmp dbname=crawls sslmode=require").encryption, [false])
  })

  it("that does not work is refused in one sentence that names the remedy, never the password", () => {
    const secret = "hush-hush"
    for (const [text, says] of [
      ["", /is empty/],
      ["  ''  ", /is empty/],
      [`mysql://me:${secret}@db.example/crawls`, /is an address of "mysql", not of Postgres/],
      [`mongodb+srv://me:${secret}@db.example/crawls`, /is an address of "mongodb", not of Postgres/],
      [`https://me:${secret}@db.example/crawls`, /is an address of "https"/],
      [`me:${secret}@db.example/crawls`, /begins with no scheme/],
      [`postgres://me:${secret}@db.example:port/crawls`, /port of digits/],
      [`postgres://me:${secret}@db.example:99999/crawls`, /port that is not a number from 1 to 65535/],
      [`postgres://me:${secret}@a.example,b.example/crawls`, /names several hosts/],
      [`postgres://me:${secret}@[bad/crawls`, /cannot be read/],
      [
        `postgres://me:${secret}@db.example/crawls?schema=raw`,
        /parameter "schema".*set the option "schema" of the sink/
      ],
      [`postgres://me:${secret}@db.example/crawls?pgbouncer=true`, /parameter "pgbouncer"/],
      [
        `postgres://me:${secret}@db.example/crawls?sslmode=on`,
        /none of disable, allow, prefer, require, verify-ca, verify-full/
      ],
      [`postgres://me:${secret}@db.example/crawls?sslmode=verify-ca`, /names no sslrootcert/],
      [
        `postgres://me:${secret}@db.example/crawls?sslmode=require&sslrootcert=/not/there.pem`,
        /file in sslrootcert that cannot be read: \/not\/there\.pem/
      ],
      [`postgres://me:${secret}@db.example/crawls?sslmode=require&sslrootcert=system`, /needs sslmode=verify-full/],
      [`postgres://me:${secret}@db.example/crawls?sslcert=/etc/hostname`, /sslcert without sslkey/],
      [`postgres://me:${secret}@db.example/crawls?service=prod`, /parameter "service"/],
      [`host=db.example password=a ${secret}=b`, /cannot be read behind|does not know/],
      [`host=db.example password='${secret}`, /cannot be read behind its parameter 1/],
      [`host=db.example password=${secret} extra=1`, /does not know \(its third\)/],
      [`postgres://me:${secret}\n@db.example/crawls`, /control character/]
    ] as const) {
      const refusal = refusalOf(text)
      assert.match(refusal, says, text)
      assert.notInclude(refusal, secret)
      assert.notInclude(refusal, "\n")
    }
  })

  it("never fails otherwise, whatever it is", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          fc.string().map((text) => `postgres://${text}`)
        ),
        (text) => {
          connectionSettings(text)
        }
      )
    )
  })
})

describe("sslmode", () => {
  const tls = (query: string) => settingsOf(`postgres://db.example/crawls?${query}`).encryption

  it("is libpq's, in all six ways", () => {
    const unverified = { rejectUnauthorized: false }
    assert.deepStrictEqual(tls("sslmode=disable"), [false])
    assert.deepStrictEqual(tls("sslmode=allow"), [false, unverified])
    assert.deepStrictEqual(tls("sslmode=prefer"), [unverified, false])
    assert.deepStrictEqual(tls(""), [unverified, false])
    assert.deepStrictEqual(tls("sslmode=require"), [unverified])
    assert.deepStrictEqual(tls("ssl=true"), [unverified])
    assert.deepStrictEqual(tls("ssl=false"), [false])
    assert.deepStrictEqual(tls("sslmode=verify-full"), [{}])
    assert.deepStrictEqual(tls("sslrootcert=system"), [{}])
  })

  it("verifies by the files it is given", () => {
    const directory = mkdtempSync(join(tmpdir(), "sluice-tls-"))
    try {
      const file = join(directory, "ca #1.pem")
      writeFileSync(file, "PEM")
      for (const mode of ["require", "verify-ca"]) {
        const [encryption] = tls(`sslmode=${mode}&sslrootcert=${encodeURIComponent(file)}`)
        assert.isTrue(encryption !== false && encryption.ca === "PEM" && encryption.rejectUnauthorized !== false)
        assert.isUndefined(encryption !== false ? encryption.checkServerIdentity?.("a", {} as never) : true)
      }
      const [full] = settingsOf(`host=db.example sslmode=verify-full sslrootcert='${file}'`).encryption
      assert.isTrue(full !== false && full.ca === "PEM" && full.checkServerIdentity === undefined)
      const [own] = tls(
        `sslmode=require&sslcert=${encodeURIComponent(file)}&sslkey=${encodeURIComponent(file)}&sslpassword=x`
      )
      assert.isTrue(own !== false && own.cert === "PEM" && own.key === "PEM" && own.passphrase === "x")
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it.effect("says nothing on the process's own warnings", () =>
    Effect.gen(function* () {
      const warnings: Array<string> = []
      const listen = (warning: Error) => void warnings.push(warning.message)
      process.on("warning", listen)
      for (const mode of ["allow", "prefer", "require", "verify-full"]) tls(`sslmode=${mode}`)
      yield* Effect.promise(() => new Promise(setImmediate))
      process.off("warning", listen)
      assert.deepStrictEqual(warnings, [])
    })
  )
})
