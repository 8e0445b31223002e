import { assert, describe, it } from "@effect/vitest"
import { isKeyCollision, toDatabaseError } from "../src/database/DatabaseError.ts"

const thrown = (fields: object) => toDatabaseError("copy")(Object.assign(new Error(), fields))

describe("DatabaseError", () => {
  it("keeps no value of a row, whatever the driver attached", () => {
    const error = thrown({
      code: "22P02",
      message: 'invalid input syntax for type integer: "hush"',
      detail: "hush",
      where: "COPY pages, line 1: hush",
      query: "SELECT 'hush'",
      params: ["hush"]
    })
    assert.strictEqual(error.message, "copy: invalid input syntax for type integer")
    assert.notInclude(JSON.stringify(error) + error.stack, "hush")
  })

  it("tells refused rows from rows in the way", () => {
    const collision = thrown({ code: "23505", message: 'violates "pages_pkey"', constraint: "pages_pkey" })
    assert.isTrue(isKeyCollision(collision))
    assert.isFalse(isKeyCollision(thrown({ code: "23505", message: "violates", constraint: "their_own" })))
    assert.strictEqual(thrown({ code: "54000", message: "index row size" }).reason._tag, "RejectedData")
  })

  it("says that the disk is full, not which file could not grow", () => {
    const message = 'could not extend file "base/5/16397" with FileFallocate(): No space left on device'
    assert.strictEqual(thrown({ code: "53100", message }).message, "copy: the server's disk is full")
  })

  it("names the server by host and port, and no secret of its address", () => {
    const words = { at: "db.test:5432", redact: (text: string) => text.replaceAll("hush", "<redacted>") }
    const failed = (operation: string, fields: object) =>
      toDatabaseError(operation, words)(Object.assign(new Error(), fields)).message
    assert.strictEqual(
      failed("connect", { code: "ECONNREFUSED" }),
      "connect: the connection to db.test:5432 failed with ECONNREFUSED"
    )
    assert.strictEqual(
      failed("query", { message: "Connection terminated unexpectedly" }),
      "query: the connection to db.test:5432 was lost or could not be made in time"
    )
    assert.strictEqual(
      failed("connect", { code: "28P01", message: 'password authentication failed for user "hush"' }),
      'connect: password authentication failed for user "<redacted>" (at db.test:5432)'
    )
    assert.strictEqual(failed("query", { code: "42501", message: "permission denied" }), "query: permission denied")
  })

  it("keeps the hint and the position of a statement that fails", () => {
    const { reason } = thrown({
      code: "42703",
      message: 'column "urll" does not exist',
      hint: "Try url.",
      position: "8"
    })
    assert.deepInclude(reason, { detail: 'column "urll" does not exist (hint: Try url.)', position: 8 })
    assert.notProperty(thrown({ code: "42703", message: "x" }).reason, "position")
  })

  it("says what may be tried again", () => {
    const tags = [
      { code: "ECONNREFUSED" },
      { code: "EPIPE", message: "write EPIPE" },
      { code: "53300", message: "too many clients" },
      { code: "40P01", message: "deadlock detected" },
      { code: "28P01", message: "password authentication failed" },
      { code: "42703", message: 'column "x" does not exist' }
    ].map((fields) => {
      const error = thrown(fields)
      return [error.reason._tag, error.isRetryable]
    })
    assert.deepStrictEqual(tags, [
      ["Unreachable", true],
      ["Unreachable", true],
      ["Unreachable", true],
      ["Conflict", true],
      ["Denied", false],
      ["Other", false]
    ])
  })
})
