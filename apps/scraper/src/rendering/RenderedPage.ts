import { Deferred, Effect, Predicate, type Scope } from "effect"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { finalFailure, type PageFailure, transientFailure } from "../net/PageFailure.ts"
import type { BrowserLease } from "./BrowserProcess.ts"
import { type MainDocument, showDocument } from "./MainDocument.ts"
import type { ReadPage, RenderEnd, RenderRequest } from "./RenderRequest.ts"
import { serializePage } from "./serializePage.ts"

/** How long the closing of a page's context is waited for; then the browser is replaced. */
const closeTimeoutMs = 5_000
/** How long reading a page may take that was ready. */
const readTimeoutMs = 5_000

/** The bounds of one page. */
export interface PageBounds {
  readonly proxyUrl: string
  readonly timeoutMs: number
  readonly maxBytes: number
}

/**
 * Renders a page in a context of its own, which shares nothing with any other and ends with the scope. Answers with the
 * page once the awaited content is there.
 */
export const renderPage = Effect.fnUntraced(function* (
  lease: BrowserLease,
  request: RenderRequest,
  bounds: PageBounds
): Effect.fn.Return<RenderEnd, PageFailure, Scope.Scope> {
  const { acceptLanguage, cookies, document, userAgent, wait } = request
  const context = yield* openContext(lease, { proxyUrl: bounds.proxyUrl, userAgent, acceptLanguage })
  const crashed = Deferred.makeUnsafe<never, PageFailure>()
  let ready = false

  const shown = Effect.gen(function* () {
    if (cookies.length > 0) yield* ask(() => context.addCookies([...cookies]))
    const page = yield* ask(() => context.newPage())
    page.on("crash", () => Deferred.doneUnsafe(crashed, Effect.fail(pageCrashed)))
    context.on("page", (other) => void other.close().catch(() => undefined))
    const main = yield* ask(() => showDocument(page, document, request))
    const timeout = { timeout: bounds.timeoutMs }
    const content = Effect.gen(function* () {
      const loaded = ask(
        () => page.goto(document.url, { ...timeout, waitUntil: wait.until }),
        timedOut(bounds.timeoutMs)
      )
      yield* Effect.raceFirst(loaded, main.stopped)
      if (wait.selector !== null) yield* element(page, wait.selector, bounds.timeoutMs)
      ready = true
      return yield* read(main, document.url, bounds.maxBytes)
    })
    const navigated = Effect.map(main.navigated, (to) => ({ _tag: "Navigated", to }) as const)
    const first = yield* Effect.raceFirst(content, navigated)
    const end = main.hasNavigated() ? yield* navigated : first
    return { ...end, cookies: yield* ask(() => context.cookies()) }
  })
  return yield* Effect.raceFirst(shown, Deferred.await(crashed)).pipe(
    Effect.timeoutOrElse({
      duration: bounds.timeoutMs + readTimeoutMs,
      orElse: () =>
        ready
          ? finalFailure("TIMEOUT", `The page could not be read within ${readTimeoutMs} ms`)
          : timedOut(bounds.timeoutMs)
    })
  )
})

interface ContextOptions extends Pick<RenderRequest, "acceptLanguage" | "userAgent"> {
  readonly proxyUrl: string
}

const openContext = (lease: BrowserLease, options: ContextOptions) =>
  Effect.acquireRelease(
    Effect.sync(() => ({ context: newContext(lease.browser, options) })),
    // A context that is still being made when the page is given up is closed all the same.
    (opening) =>
      Effect.promise(() => opening.context.then((context) => context.close()).catch(() => undefined)).pipe(
        Effect.timeoutOrElse({ duration: closeTimeoutMs, orElse: () => Effect.sync(lease.condemn) })
      )
  ).pipe(Effect.flatMap((opening) => ask(() => opening.context)))

const newContext = (
  browser: Browser,
  { acceptLanguage, proxyUrl, userAgent }: ContextOptions
): Promise<BrowserContext> =>
  browser.newContext({
    proxy: { server: proxyUrl, bypass: "<-loopback>" },
    userAgent,
    ...(acceptLanguage === undefined
      ? {}
      : { extraHTTPHeaders: { "accept-language": acceptLanguage }, locale: acceptLanguage.split(/[,;]/)[0] ?? "" }),
    acceptDownloads: false,
    serviceWorkers: "block",
    permissions: []
  })

const element = (page: Page, selector: string, timeout: number): Effect.Effect<void, PageFailure> =>
  Effect.gen(function* () {
    const found = page.locator(`css=${selector}`).first()
    const missing = finalFailure("ELEMENT_NOT_FOUND", `No element matches ${selector} within ${timeout} ms`)
    yield* ask(() => found.waitFor({ state: "attached", timeout }), missing)
  })

interface PageRead {
  readonly url: string
  readonly base: string
  readonly html: string | null
  readonly isXml: boolean
}

/** Read in a world of its own, where nothing is as the page's scripts have made it. A page too large stays there. */
const read = Effect.fnUntraced(function* (
  { frameId, session }: MainDocument,
  shownUrl: string,
  maxBytes: number
): Effect.fn.Return<ReadPage, PageFailure> {
  const expression = serializePage(maxBytes)
  const { url, base, html, isXml } = yield* ask(async (): Promise<PageRead> => {
    const world = await session.send("Page.createIsolatedWorld", { frameId, worldName: "sluice" })
    const contextId = world.executionContextId
    const { result } = await session.send("Runtime.evaluate", { contextId, expression, returnByValue: true })
    return result.value
  })
  if (URL.parse(url)?.origin !== new URL(shownUrl).origin) {
    return yield* finalFailure("INVALID_REDIRECT", "The page replaced itself by something that is no http(s) page")
  }
  if (html === null || Buffer.byteLength(html) > maxBytes) {
    return yield* finalFailure("PAGE_TOO_LARGE", `The page is larger than ${maxBytes} bytes`)
  }
  return { _tag: "Rendered", html, isXml, base: /^https?:/i.test(base) ? base : url }
})

const timedOut = (timeoutMs: number) => finalFailure("TIMEOUT", `The page was not ready within ${timeoutMs} ms`)
const pageCrashed = finalFailure("PAGE_CRASHED", "The page crashed in the browser")
const browserLost = transientFailure("PAGE_CRASHED", "The browser ended before the page was ready")

/** Asks the browser for something. `late` is how it fails that it was not had in time. */
const ask = <A>(question: () => Promise<A>, late?: PageFailure): Effect.Effect<A, PageFailure> =>
  Effect.tryPromise({
    try: question,
    catch: (cause) => {
      const message = Predicate.isError(cause) ? (cause.message.split("\n")[0] ?? "") : String(cause)
      if (late !== undefined && Predicate.isError(cause) && cause.name === "TimeoutError") return late
      if (/crashed/i.test(message)) return pageCrashed
      if (/selector/i.test(message)) return finalFailure("INVALID_SELECTOR", "wait_for is not a CSS selector")
      if (/has been closed|Target closed|disconnected/i.test(message)) return browserLost
      return transientFailure("PAGE_CRASHED", `The browser could not show the page: ${message}`)
    }
  })
