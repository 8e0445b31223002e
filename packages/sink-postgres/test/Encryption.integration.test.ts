import { execFileSync } from "node:child_process"
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ownPostgres } from "@sluice/testkit"
import { Effect } from "effect"
import { Postgres } from "../src/index.ts"

const hasOpenssl = (() => {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
})()

/** An authority and a certificate for `localhost` that it has signed, in a directory that anybody may enter. */
const certificates = Effect.acquireRelease(
  Effect.sync(() => {
    const directory = mkdtempSync(join(tmpdir(), "sluice-tls-"))
    chmodSync(directory, 0o755)
    const at = (name: string) => join(directory, name)
    const openssl = (...args: ReadonlyArray<string>) =>
      execFileSync("openssl", args, { cwd: directory, stdio: "ignore" })
    for (const name of ["ca", "other"]) {
      openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        `/CN=${name}`,
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.crt`
      )
    }
    openssl(
      "req",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-subj",
      "/CN=localhost",
      "-keyout",
      "server.key",
      "-out",
      "server.csr"
    )
    writeFileSync(at("san"), "subjectAltName=DNS:localhost")
    openssl(
      "x509",
      "-req",
      "-in",
      "server.csr",
      "-CA",
      "ca.crt",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-days",
      "2",
      "-extfile",
      "san",
      "-out",
      "server.crt"
    )
    return { directory, at }
  }),
  ({ directory }) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

const isEncrypted = Effect.fnUntraced(function* (url: string) {
  const database = yield* Postgres.open({ url })
  const [row] = yield* database.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
  return row?.ssl === true
}, Effect.scoped)

const refused = (url: string) => Effect.map(Effect.flip(isEncrypted(url)), ({ message }) => message)

describe("an encrypted connection", () => {
  it.live.skipIf(!hasOpenssl)(
    `is made as sslmode says, by the certificates it names${hasOpenssl ? "" : " (skipped: openssl is not installed)"}`,
    () =>
      Effect.gen(function* () {
        const { at } = yield* certificates
        const plain = yield* ownPostgres()
        const withMode = (url: string, query: string) => `${url}?${query}`
        assert.isFalse(yield* isEncrypted(plain.url))
        for (const mode of ["disable", "allow", "prefer"]) {
          assert.isFalse(yield* isEncrypted(withMode(plain.url, `sslmode=${mode}`)), mode)
        }
        assert.match(yield* refused(withMode(plain.url, "sslmode=require")), /offers no encrypted connections/)

        const server = yield* ownPostgres()
        const local = server.url.replace("127.0.0.1", "localhost")
        const settings = yield* Postgres.open({ url: server.url })
        const [row] = yield* settings.query("SELECT current_setting('data_directory') AS directory")
        const owner = statSync(String(row?.directory))
        for (const name of ["server.key", "server.crt"]) {
          const target = join(String(row?.directory), name)
          writeFileSync(target, readFileSync(at(name)))
          chownSync(target, owner.uid, owner.gid)
          chmodSync(target, 0o600)
        }
        writeFileSync(join(String(row?.directory), "postgresql.auto.conf"), "ssl = on\n")
        yield* server.halt("fast")
        yield* server.start

        assert.isTrue(yield* isEncrypted(local), "prefer, when absent")
        assert.isFalse(yield* isEncrypted(withMode(local, "sslmode=disable")))
        assert.isFalse(yield* isEncrypted(withMode(local, "sslmode=allow")))
        for (const mode of ["prefer", "require"])
          assert.isTrue(yield* isEncrypted(withMode(local, `sslmode=${mode}`)), mode)
        const trusting = `sslrootcert=${encodeURIComponent(at("ca.crt"))}`
        for (const mode of ["require", "verify-ca", "verify-full"]) {
          assert.isTrue(yield* isEncrypted(withMode(local, `sslmode=${mode}&${trusting}`)), mode)
        }
        // The certificate names localhost, not its address.
        assert.isTrue(yield* isEncrypted(withMode(server.url, `sslmode=verify-ca&${trusting}`)))
        assert.match(
          yield* refused(withMode(server.url, `sslmode=verify-full&${trusting}`)),
          /for another host than the url names/
        )
        const mistrusting = `sslrootcert=${encodeURIComponent(at("other.crt"))}`
        for (const mode of ["require", "verify-ca", "verify-full"]) {
          assert.match(
            yield* refused(withMode(local, `sslmode=${mode}&${mistrusting}`)),
            /signed by nobody who is trusted/,
            mode
          )
        }
        assert.match(yield* refused(withMode(local, "sslmode=verify-full")), /signed by nobody who is trusted/)
      }),
    180_000
  )
})
