import { assert, describe, it } from "@effect/vitest"
import { actualType, charsetOf, declaredKind, mediaType } from "../src/net/ContentType.ts"

describe("a Content-Type header", () => {
  it("is read by the standard", () => {
    assert.strictEqual(mediaType(' Text/HTML ; Charset="utf-8"'), "text/html")
    assert.strictEqual(charsetOf('text/html;charset="windows-1252";charset=utf-8'), "windows-1252")
    assert.strictEqual(charsetOf('text/html; title="charset=utf-8"; charset=koi8-r'), "koi8-r")
    assert.strictEqual(charsetOf("text/html"), undefined)
  })

  it("is read as far as it goes where it is not well-formed", () => {
    assert.strictEqual(mediaType("html"), "html")
    assert.strictEqual(mediaType(""), "")
    assert.strictEqual(charsetOf("text/html charset=utf-8"), "utf-8")
    assert.strictEqual(charsetOf("text/html; charset = 'koi8-r'"), "koi8-r")
    assert.isUndefined(declaredKind("html"))
  })

  it("does not make text of UTF-16 binary", () => {
    const wide = new Uint8Array([0x68, 0, 0x69, 0])
    assert.isUndefined(actualType(wide, "text/plain"))
    assert.strictEqual(actualType(wide, "text/plain; charset=utf-16le"), "text/plain; charset=utf-16le")
    assert.strictEqual(actualType(wide, 'text/plain; charset="UTF-16LE"'), 'text/plain; charset="UTF-16LE"')
  })
})
