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
    assert.strictEqual(declaredKind("html"), "untold")
  })

  it("does not make text of UTF-16 binary", () => {
    const wide = new Uint8Array([0x68, 0, 0x69, 0])
    assert.isUndefined(actualType(wide, "text/plain"))
    assert.strictEqual(actualType(wide, "text/plain; charset=utf-16le"), "text/plain; charset=utf-16le")
    assert.strictEqual(actualType(wide, 'text/plain; charset="UTF-16LE"'), 'text/plain; charset="UTF-16LE"')
  })

  it("counts as the last that is one", () => {
    assert.strictEqual(mediaType("text/html, text/html"), "text/html")
    assert.strictEqual(mediaType("text/plain, */*"), "text/plain")
    assert.strictEqual(mediaType('text/plain; a="b,c", text/html;x'), "text/html")
    assert.strictEqual(charsetOf("text/html;charset=koi8-r, text/html"), "koi8-r")
  })

  it("makes text of what is text, whatever it is called", () => {
    for (const type of [
      "text/x-python",
      "text/vcard",
      "application/x-ndjson",
      "application/yaml",
      "application/x-sh"
    ]) {
      assert.strictEqual(declaredKind(type), "text", type)
    }
    for (const type of ["", "html", "*/*", "unknown/unknown", "application/octet-stream", "text"]) {
      assert.strictEqual(declaredKind(type), "untold", type)
    }
    for (const type of ["image/png", "application/zip", "font/woff2"]) assert.isUndefined(declaredKind(type), type)
  })

  it("is sniffed by the standard where it says nothing", () => {
    const sniffed = (text: string, type = "") => actualType(Buffer.from(text, "latin1"), type)
    for (const html of ["<!DOCTYPE html><p>", "  <HTML>", "\n<p>a", "<a href=x>", "<!-- c -->", "<br/>", "<title>"]) {
      assert.strictEqual(sniffed(html), "text/html", html)
    }
    for (const text of ["plain", "<pre>", "<abbr>", "a < b", "\x1b[0m", "ID3 is a name", "GIF87a is one, too"]) {
      assert.strictEqual(sniffed(text, "*/*"), "text/plain", text)
    }
    assert.strictEqual(sniffed('<?xml version="1.0"?><rss/>', "unknown/unknown"), "text/xml")
    assert.strictEqual(sniffed("%PDF-1.4", "application/octet-stream"), "application/pdf")
    assert.isUndefined(sniffed("\x00\x01"))
    assert.isUndefined(sniffed("no pdf", "application/pdf"))
    assert.strictEqual(sniffed("<p>a\x01b", "text/html"), "text/html")
  })
})
