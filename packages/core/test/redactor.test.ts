import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { makeRedactor } from "../src/secret/redactor.ts"
import { secretsInAddress } from "../src/secret/secretsInAddress.ts"

const xml = (text: string) =>
  text.replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c]!)
const ascii = (text: string) =>
  JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`
  )
const bytes = (text: string) => [...Buffer.from(text)].map((b) => `%${b.toString(16).padStart(2, "0")}`).join("")

/** The ways in which a server or a driver may quote what it was sent. */
const quotings: Readonly<Record<string, (secret: string) => string>> = {
  "as it is": (secret) => secret,
  JSON: (secret) => JSON.stringify(secret),
  "JSON in JSON": (secret) => JSON.stringify(JSON.stringify({ secret })),
  "JSON with slashes escaped": (secret) => JSON.stringify(secret).replaceAll("/", "\\/"),
  "JSON in ASCII": ascii,
  "a URL's component": encodeURIComponent,
  "a URL, twice": (secret) => encodeURIComponent(encodeURIComponent(secret)),
  "a form": (secret) => new URLSearchParams({ secret }).toString(),
  "all bytes of a URL": bytes,
  XML: xml,
  base64: (secret) => Buffer.from(secret).toString("base64"),
  base64url: (secret) => Buffer.from(secret).toString("base64url"),
  "basic authentication": (secret) => `Basic ${Buffer.from(`user:${secret}`).toString("base64")}`,
  "base64 of more around it, in a URL": (secret) =>
    encodeURIComponent(Buffer.from(`{"a":"${secret}","b":1}`).toString("base64"))
}

/** At least four characters; characters that are escaped somewhere are as likely as others. */
const secrets = fc
  .array(
    fc.oneof(
      fc.constantFrom(..."\"'\\/%+&<> \n\t@:?#=.*(["),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 })
    ),
    {
      minLength: 4,
      maxLength: 40
    }
  )
  .map((parts) => parts.join(""))
  .filter((secret) => secret.isWellFormed() && secret.length >= 4)

describe("makeRedactor", () => {
  for (const [name, quote] of Object.entries(quotings)) {
    it(`hides a secret quoted as ${name}`, () => {
      fc.assert(
        fc.property(secrets, (secret) => {
          const said = makeRedactor([secret])(`the server says ~~${quote(secret)}~~ and ends`)
          assert.match(said, /^the server says ~~.*<redacted>.*~~ and ends$/s)
          assert.notInclude(said, quote(secret))
          // Of what was quoted nothing stays but what was around it.
          assert.isAtMost(
            said.length,
            "the server says ~~~~ and ends".length + '"\\"{\\\\\\"secret\\\\\\":\\\\\\"<redacted>\\\\\\"}\\""'.length
          )
        }),
        { numRuns: 100 }
      )
    })
  }

  it("changes nothing else", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), secrets, (text, secret) => {
        if (!text.includes(secret)) assert.strictEqual(makeRedactor([secret])(text), text)
      })
    )
    assert.strictEqual(makeRedactor([])("text"), "text")
    assert.strictEqual(makeRedactor([""])("text"), "text")
  })

  it("hides a short secret where a password is expected, and leaves numbers and words alone", () => {
    const hide = makeRedactor(["1", "is"])
    assert.strictEqual(hide("port 5431 of 127.0.0.1 is closed"), "port 5431 of 127.0.0.1 is closed")
    assert.strictEqual(hide("postgres://me:1@host/x"), "postgres://me:<redacted>@host/x")
    assert.strictEqual(hide("password=is host=h"), "password=<redacted> host=h")
    assert.strictEqual(hide('{"password": "1"}'), '{"password": "<redacted>"}')
  })

  it("hides the longer of two secrets of which one is part of the other", () => {
    assert.strictEqual(makeRedactor(["secret", "secret-2"])("a secret-2, a secret"), "a <redacted>, a <redacted>")
  })

  it("takes an answer that is made to keep it busy in its stride", () => {
    const hide = makeRedactor(['\\\\\\\\"x', "a%%%%b", "&&&&;"])
    for (const piece of ["\\", "%25", "&amp;", "a%", "\\u005c"]) {
      const before = process.cpuUsage().user
      hide(piece.repeat(64 * 1024))
      assert.isBelow(process.cpuUsage(undefined).user - before, 5_000_000, piece)
    }
  })
})

describe("secretsInAddress", () => {
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["postgres://me:pw@h:5432/db", ["pw"]],
    ["postgres://me:p%40w@h/db?sslmode=require", ["p%40w", "p@w"]],
    ["postgres://me:p@w/x@h/db", ["p", "p@w/x"]],
    ["postgres://h/db?user=me&password=p%20w", ["p%20w", "p w"]],
    ["postgres://h/db?sslpassword=key+1", ["key+1", "key 1"]],
    ["postgres://h:5432/db", []],
    [" host=h user=me password='it\\'s' dbname=x", ["it's"]],
    ["host=h password=plain", ["plain"]],
    ["just-a-token", ["just-a-token"]]
  ]
  for (const [address, expected] of cases) {
    it(address, () => {
      assert.deepStrictEqual([...secretsInAddress(address)].sort(), [...expected].sort())
    })
  }
})
