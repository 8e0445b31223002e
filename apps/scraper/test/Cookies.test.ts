import type { IncomingMessage, ServerResponse } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import fc from "fast-check"
import { SiteCookies } from "../src/fetching/SiteCookies.ts"
import { describeInBrowser, render } from "./TestBrowser.ts"
import { crawl, rowsOf, testScraper } from "./TestScraper.ts"
import { page, type Route, testSite } from "./TestSite.ts"

const html = { "content-type": "text/html; charset=utf-8" }

/** A page for those who bring a cookie; the others get it, and are sent to `to`. */
const gated =
  (name: string, to: (request: IncomingMessage) => string, body = page(`behind ${name}`)): Route =>
  (request: IncomingMessage, response: ServerResponse) => {
    if (`; ${request.headers.cookie ?? ""};`.includes(`; ${name}=1;`))
      return void response.writeHead(200, html).end(body)
    response.writeHead(302, { location: to(request), "set-cookie": `${name}=1; Path=/` }).end()
  }
const itself = (request: IncomingMessage) => request.url ?? "/"

describe("cookies", () => {
  it.live("lead on from a redirect to itself, and do not hide a circle", () =>
    Effect.gen(function* () {
      const site = yield* testSite({
        "/": page("home", "/self", "/two", "/round"),
        "/self": gated("self", itself),
        "/two": gated("two", () => "/two/set"),
        "/two/set": { status: 303, headers: { location: "/two", "set-cookie": "other=2; Path=/" } },
        "/round": { status: 302, headers: { location: "/round", "set-cookie": "round=1; Path=/" } }
      })
      const job = yield* crawl(yield* testScraper(), { url: site.url("/") })
      assert.deepStrictEqual(rowsOf(job), [
        "/ completed",
        "/self completed",
        "/two completed",
        "/round TOO_MANY_REDIRECTS"
      ])
      assert.strictEqual(site.hits("/round"), 2)
    })
  )

  it.live("of the first page open the others of the crawl, and of no other crawl", () =>
    Effect.gen(function* () {
      const inside: Route = (request, response) => {
        const isIn = (request.headers.cookie ?? "").includes("session=s3cret")
        response.writeHead(isIn ? 200 : 403, html).end(page("inside"))
      }
      const site = yield* testSite({
        "/": { headers: { "set-cookie": "session=s3cret; HttpOnly; SameSite=Strict" }, body: page("home", "/a", "/b") },
        "/a": inside,
        "/b": inside
      })
      const client = yield* testScraper()
      const job = yield* crawl(client, { url: site.url("/") })
      assert.deepStrictEqual(rowsOf(job), ["/ completed", "/a completed", "/b completed"])
      assert.deepStrictEqual(rowsOf(yield* crawl(client, { url: site.url("/a") })), ["/a HTTP_ERROR"])
    })
  )

  it.live("never reach another host, and stand behind those of the caller", () =>
    Effect.gen(function* () {
      const other = yield* testSite({ "/": page("elsewhere") })
      const elsewhere = other.origin.replace("127.0.0.1", "localhost")
      const site = yield* testSite({
        "/": {
          status: 302,
          headers: { location: "/next", "set-cookie": "a=new; Path=/" }
        },
        "/next": { status: 302, headers: { location: `${elsewhere}/` } }
      })
      const client = yield* testScraper()
      yield* client.extract.createExtraction({ payload: { url: site.url("/"), headers: { Cookie: "a=old; b=mine" } } })
      assert.strictEqual(site.lastHeaders("/")?.cookie, "a=old; b=mine")
      assert.strictEqual(site.lastHeaders("/next")?.cookie, "b=mine; a=new")
      assert.strictEqual(other.lastHeaders("/")?.cookie, undefined)
    })
  )

  it("go to no host that did not set them, whatever their attributes", () => {
    const hosts = ["a.example", "b.a.example", "c.b.a.example", "other.example", "127.0.0.1", "localhost"]
    const host = fc.constantFrom(...hosts)
    const domain = fc.option(fc.constantFrom(...hosts, "com", ".a.example", ""), { nil: undefined })
    const path = fc.constantFrom("/", "/x", "/x/", "/x/y", "/xy")
    fc.assert(
      fc.property(
        host,
        host,
        domain,
        fc.option(path, { nil: undefined }),
        path,
        path,
        (from, to, domain, attribute, at, asked) => {
          const cookies = new SiteCookies()
          const line = `n=v${domain === undefined ? "" : `; Domain=${domain}`}${attribute === undefined ? "" : `; Path=${attribute}`}`
          cookies.take(`http://${from}${at}`, [["set-cookie", line]])
          const isSent = cookies.header(`http://${to}${asked}`, undefined) !== undefined
          const bare = (domain ?? "").replace(/^\./, "")
          const below = (name: string, of: string) => name === of || name.endsWith(`.${of}`)
          const isPublic = bare === "com" || bare === "example"
          const ofHost =
            bare === "" || (isPublic && bare === from) ? from === to : !isPublic && below(from, bare) && below(to, bare)
          const folder = at.slice(0, Math.max(1, at.lastIndexOf("/")))
          const scope = attribute ?? folder
          const ofPath = asked === scope || asked.startsWith(scope.endsWith("/") ? scope : `${scope}/`)
          assert.strictEqual(isSent, ofHost && ofPath, `${line} from ${from}${at} to ${to}${asked}`)
        }
      ),
      { numRuns: 500 }
    )
  })

  it("end by their age, are replaced, and are not without number", () => {
    const cookies = new SiteCookies()
    const url = "http://a.example/"
    cookies.take("http://test/", [["set-cookie", "a=1"]])
    assert.strictEqual(cookies.header("http://test/", undefined), undefined)
    const set = (line: string) => cookies.take(url, [["set-cookie", line]])
    set("a=1; Max-Age=100")
    set("a=2")
    set("gone=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
    set("secure=1; Secure")
    set("__Host-x=1; Path=/y")
    set("=bare")
    set(`long=${"x".repeat(5000)}`)
    assert.strictEqual(cookies.header(url, undefined), "a=2; bare")
    set("a=; Max-Age=0")
    for (let index = 0; index < 300; index++) set(`n${index}=1`)
    const sent = cookies.header(url, undefined)?.split("; ") ?? []
    assert.strictEqual(sent.length, 180)
    assert.include(sent, "n299=1")
  })
})

describeInBrowser("cookies of rendered pages", () => {
  it.live("are those of the load, set by headers and by scripts", () =>
    Effect.gen(function* () {
      const site = yield* testSite({
        "/self": gated("self", itself, "<p id=p></p><script>p.textContent = document.cookie</script>"),
        "/door": "<script>document.cookie = 'door=1; Path=/'; location.href = '/room'</script>",
        "/room": gated("door", () => "/closed", page("the room"))
      })
      const client = yield* testScraper()
      assert.include((yield* render(client, site.url("/self"))).markdown, "self=1")
      assert.include((yield* render(client, site.url("/door"))).markdown, "the room")
      assert.strictEqual(site.hits("/closed"), 0)
    })
  )

  it.live("last through a crawl", () =>
    Effect.gen(function* () {
      const site = yield* testSite({
        "/": `<a href="/a">a</a><script>document.cookie = "key=1; Path=/"</script>`,
        "/a": gated("key", () => "/closed")
      })
      const job = yield* crawl(yield* testScraper(), { url: site.url("/"), render_js: true })
      assert.deepStrictEqual(rowsOf(job), ["/ completed", "/a completed"])
    })
  )
})
