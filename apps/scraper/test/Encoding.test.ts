import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { decodeText } from "../src/net/decodeText.ts"
import { normalizeUrl } from "../src/net/normalizeUrl.ts"
import { pageEncoding } from "../src/net/pageEncoding.ts"
import { describeInBrowser, render } from "./TestBrowser.ts"
import { testScraper } from "./TestScraper.ts"
import { testSite } from "./TestSite.ts"

const octets = (text: string) => Buffer.from(text, "latin1")
const html = "text/html"
const russian = octets(
  "<p>\xd1\xfa\xe5\xf8\xfc \xe6\xe5 \xe5\xf9\xb8 \xfd\xf2\xe8\xf5 \xec\xff\xe3\xea\xe8\xf5 \xf4\xf0\xe0\xed\xf6\xf3\xe7\xf1\xea\xe8\xf5 \xe1\xf3\xeb\xee\xea, \xe4\xe0 \xe2\xfb\xef\xe5\xe9 \xf7\xe0\xfe</p>"
)
const japanese = octets("<p>\x93\xfa\x96{\x8c\xea\x82\xcc\x83y\x81[\x83W\x82\xc5\x82\xb7\x81B</p>")

describe("the encoding of a page", () => {
  const cases: ReadonlyArray<readonly [string, string, Uint8Array, string]> = [
    ["is that of its byte-order mark", "utf-16le", Buffer.from("\uFEFF<p>a", "utf16le"), "text/html; charset=koi8-r"],
    ["is else that of its header", "koi8-r", octets("<meta charset=utf-8>"), "text/html; charset=koi8-r"],
    ["is else declared", "windows-1251", octets("<meta charset=cp1251>"), "text/html; charset=nonsense"],
    [
      "may be declared the old way",
      "koi8-r",
      octets(`<meta http-equiv=Content-Type content="text/html; charset='koi8-r'">`),
      html
    ],
    ["is not declared in a comment", "euc-jp", octets("<!-- <meta charset=koi8-r> --><meta charset=euc-jp>"), html],
    [
      "is not declared in an attribute",
      "euc-jp",
      octets(`<link title="<meta charset=koi8-r>"><meta charset=euc-jp>`),
      html
    ],
    [
      "is not declared in a script",
      "euc-jp",
      octets("<script>'<meta charset=koi8-r>'</script><meta charset=euc-jp>"),
      html
    ],
    ["is not declared by the description", "windows-1252", octets(`<meta name=d content="charset=koi8-r">`), html],
    [
      "may be declared late in the head",
      "koi8-r",
      octets(`<style>${"x".repeat(5000)}</style><meta charset=koi8-r>`),
      html
    ],
    [
      "is not declared late in the body",
      "windows-1252",
      octets(`<p>${"x".repeat(5000)}</p><meta charset=koi8-r>`),
      html
    ],
    ["may be declared early in the body", "koi8-r", octets("<p>x</p><meta charset=koi8-r>"), html],
    ["is never UTF-16 where ASCII says so", "utf-8", octets("<meta charset=utf-16>"), html],
    ["may be declared as XML", "koi8-r", octets(`<?xml version="1.0" encoding="koi8-r"?><p>`), "application/xhtml+xml"],
    ["is UTF-8 where that is valid", "utf-8", Buffer.from("<p>für"), html],
    ["is the browsers' default where nothing says more", "windows-1252", octets("<p>plain"), html],
    ["is guessed of Russian", "windows-1251", russian, html],
    ["is guessed of Japanese", "shift_jis", japanese, html],
    ["is guessed of plain text", "windows-1251", russian.subarray(3), "text/plain"]
  ]
  for (const [name, expected, body, contentType] of cases) {
    it(name, () => assert.strictEqual(pageEncoding(body, contentType), expected))
  }

  it("is decoded by the WHATWG's tables", () => {
    assert.strictEqual(decodeText(octets("\x80\x81"), "text/plain; charset=iso-8859-1"), "€\x81")
    assert.strictEqual(decodeText(octets("\x81\x30\x81\x30\x80"), "text/plain; charset=gb2312"), "\x80€")
    assert.strictEqual(decodeText(octets("\x87@"), "text/plain; charset=x-sjis"), "①")
    assert.strictEqual(decodeText(octets("\x1b$)C"), "text/plain; charset=iso-2022-kr"), "\uFFFD")
    assert.strictEqual(decodeText(octets("\xff\x41"), "text/plain; charset=big5"), "\uFFFDA")
  })

  it("is that of the queries of its links", () => {
    const link = (href: string, encoding: string) =>
      Option.getOrNull(normalizeUrl(href, "http://a.example/ä", encoding))
    assert.strictEqual(link("/p?q=né€&b=1#é", "windows-1252"), "http://a.example/p?q=n%E9%80&b=1")
    assert.strictEqual(link("?q=日本é", "shift_jis"), "http://a.example/%C3%A4?q=%93%FA%96{%26%23233%3B")
    assert.strictEqual(link("/é?q=é", "utf-16le"), "http://a.example/%C3%A9?q=%C3%A9")
    assert.strictEqual(link("/é#?q=é", "windows-1252"), "http://a.example/%C3%A9")
  })
})

describeInBrowser("the encoding of a rendered page", () => {
  it.live("is the one of the page that is not", () =>
    Effect.gen(function* () {
      const link = octets("<a href='?q=\xe9&eacute;'>l</a>")
      const site = yield* testSite({
        "/guessed": { body: Buffer.concat([russian, link]) },
        "/declared": {
          headers: { "content-type": "text/html; charset=windows-1252" },
          body: Buffer.concat([octets("na\xefve"), link])
        }
      })
      const client = yield* testScraper()
      for (const path of ["/guessed", "/declared"]) {
        const payload = { url: site.url(path), extract_links: true }
        const plain = yield* client.extract.createExtraction({ payload })
        const rendered = yield* render(client, site.url(path), { extract_links: true })
        assert.deepStrictEqual("data" in plain ? plain.data.links : undefined, rendered.data?.links)
        assert.strictEqual("data" in plain ? plain.data.markdown : undefined, rendered.markdown)
        assert.include(rendered.markdown, path === "/guessed" ? "французских" : "naïve")
      }
    })
  )
})
