import { Option } from "effect"
import { Cookie, CookieJar, MemoryCookieStore } from "tough-cookie"
import type { BrowserCookie } from "../rendering/RenderRequest.ts"

/** Most bytes of a cookie, most cookies of a host, and of a jar: those of Chromium. */
const maxCookieBytes = 4096
const maxHostCookies = 180
const maxCookies = 3300

/** What is passed to a server along a header of the caller's own. */
const nameOf = (pair: string): string => pair.split("=", 1)[0]?.trim() ?? ""

/**
 * The cookies of one load or one crawl, in memory: kept and sent by host, path and age as RFC 6265 and browsers have it. They
 * end with it.
 */
export class SiteCookies {
  private readonly store = new MemoryCookieStore()
  private readonly jar = new CookieJar(this.store, { looseMode: true, prefixSecurity: "silent" })

  /** Keeps what an answer sets. What a browser would refuse is refused, without a word. */
  take(url: string, headers: ReadonlyArray<readonly [name: string, value: string]>): void {
    for (const [name, line] of headers) {
      if (name === "set-cookie") this.keep(Cookie.parse(line, { loose: true }), url)
    }
  }

  /** The `Cookie` header of a request, behind the caller's own pairs; none if there is nothing to send. */
  header(url: string, own: string | undefined): string | undefined {
    const kept = this.sentTo(url, false).map((cookie) => cookie.cookieString())
    const names = new Set(kept.map(nameOf))
    const given = (own ?? "")
      .split(";")
      .map((pair) => pair.trim())
      .filter((pair) => pair !== "" && !names.has(nameOf(pair)))
    const pairs = [...given, ...kept]
    return pairs.length === 0 ? undefined : pairs.join("; ")
  }

  /** Those that a browser needs for a page. */
  forBrowser(url: string): ReadonlyArray<BrowserCookie> {
    return this.sentTo(url, true).flatMap((cookie) => {
      if (cookie.domain === null) return []
      const expires = cookie.expiryTime()
      return [
        {
          name: cookie.key,
          value: cookie.value,
          domain: cookie.hostOnly === true ? cookie.domain : `.${cookie.domain}`,
          path: cookie.path ?? "/",
          expires: expires === undefined || !Number.isFinite(expires) ? -1 : expires / 1000,
          httpOnly: cookie.httpOnly,
          secure: cookie.secure,
          sameSite: "Lax"
        }
      ]
    })
  }

  /** Keeps what a browser has kept. */
  takeFromBrowser(cookies: ReadonlyArray<BrowserCookie>): void {
    for (const { domain, expires, httpOnly, name, path, secure, value } of cookies) {
      const host = domain.replace(/^\./, "")
      const cookie = new Cookie({
        key: name,
        value,
        domain: host === domain ? null : host,
        path,
        httpOnly,
        secure,
        expires: expires < 0 ? "Infinity" : new Date(expires * 1000)
      })
      this.keep(cookie, `${secure ? "https" : "http"}://${host}${path}`)
    }
  }

  /** Of a host that is a reserved top-level domain the jar keeps nothing, and throws. */
  private sentTo(url: string, allPaths: boolean): ReadonlyArray<Cookie> {
    return Option.getOrElse(Option.liftThrowable(() => this.jar.getCookiesSync(url, { allPaths }))(), () => [])
  }

  private keep(cookie: Cookie | undefined, url: string): void {
    if (cookie === undefined || cookie.cookieString().length > maxCookieBytes) return
    Option.liftThrowable(() => this.jar.setCookieSync(cookie, url, { ignoreError: true, loose: true }))()
    const { hostname } = new URL(url)
    const ofHost = this.all().filter(({ domain }) => domain === (cookie.domain ?? hostname))
    if (ofHost.length > maxHostCookies) this.forget(ofHost)
    else if (this.all().length > maxCookies) this.forget(this.all())
  }

  private all(): ReadonlyArray<Cookie> {
    let all: ReadonlyArray<Cookie> = []
    // The store of the memory answers at once.
    this.store.getAllCookies((_, cookies) => {
      all = cookies ?? []
    })
    return all
  }

  /** Forgets the oldest. */
  private forget(cookies: ReadonlyArray<Cookie>): void {
    const [oldest] = [...cookies].sort((a, b) => (a.creationIndex ?? 0) - (b.creationIndex ?? 0))
    if (oldest === undefined) return
    this.store.removeCookie(oldest.domain ?? "", oldest.path ?? "/", oldest.key, () => undefined)
  }
}
