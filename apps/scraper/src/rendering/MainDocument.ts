import { Deferred, Effect, Option } from "effect"
import type { CDPSession, Page } from "playwright-core"
import { hopByHopHeaders } from "../net/hopByHopHeaders.ts"
import { normalizeUrl } from "../net/normalizeUrl.ts"
import { finalFailure, type PageFailure } from "../net/PageFailure.ts"
import type { RenderRequest, ShownDocument } from "./RenderRequest.ts"

/** A refresh, by an element or a header, within this many seconds counts as a redirect; a later one reloads a page that is meant to be read. */
export const maxRefreshSeconds = 5

const refreshes = new Set(["metaTagRefresh", "httpHeaderRefresh"])

/** The document of a page's main frame, and where its scripts lead. */
export interface MainDocument {
  readonly session: CDPSession
  readonly frameId: string
  /** Succeeds with the URL that the page goes on to, once it does. */
  readonly navigated: Effect.Effect<string, PageFailure>
  /** Succeeds once it has stopped loading because it went on to what is ignored: it will not be ready by itself. */
  readonly stopped: Effect.Effect<void>
  /** Whether it has been seen to go on. */
  readonly hasNavigated: () => boolean
}

/**
 * Hands the page its document when it asks for it, and lets it load no other: where it goes on to is told, and for the
 * caller to fetch by the rules of pages; but what is ignored is not gone to. Documents of frames inside it pass.
 */
export const showDocument = async (
  page: Page,
  document: ShownDocument,
  { ignored, rereads }: Pick<RenderRequest, "ignored" | "rereads">
): Promise<MainDocument> => {
  const session = await page.context().newCDPSession(page)
  const { frameTree } = await session.send("Page.getFrameTree")
  const frameId = frameTree.frame.id
  const navigation = Deferred.makeUnsafe<string, PageFailure>()
  const stopped = Deferred.makeUnsafe<void>()
  let isShown = false
  let hasIgnored = false

  const follow = (url: string, isPost: boolean) => {
    // Anything else, as `mailto:`, leaves the page where it is.
    if (!/^https?:/i.test(url)) return
    if (Option.exists(normalizeUrl(url), (to) => ignored.has(to))) {
      hasIgnored = true
      return
    }
    const failure = finalFailure("INVALID_REDIRECT", "The page goes on by a POST request, which is not followed")
    Deferred.doneUnsafe(navigation, isPost ? Effect.fail(failure) : Effect.succeed(url))
  }
  const isReread = (url: string, reason: string) =>
    !rereads && refreshes.has(reason) && url.split("#", 1)[0] === document.url
  session.on("Page.frameRequestedNavigation", (event) => {
    if (!isShown || event.frameId !== frameId || event.disposition !== "currentTab") return
    if (!isReread(event.url, event.reason)) follow(event.url, event.reason === "formSubmissionPost")
  })
  session.on("Page.frameScheduledNavigation", (event) => {
    const isSoon = refreshes.has(event.reason) && event.delay <= maxRefreshSeconds
    if (!isShown || event.frameId !== frameId || !isSoon || isReread(event.url, event.reason)) return
    follow(event.url, false)
  })
  session.on("Page.frameStoppedLoading", (event) => {
    if (hasIgnored && event.frameId === frameId) Deferred.doneUnsafe(stopped, Effect.void)
  })
  session.on("Fetch.requestPaused", ({ frameId: asking, requestId }) => {
    const settle = () => {
      if (asking !== frameId) return session.send("Fetch.continueRequest", { requestId })
      if (!isShown) {
        isShown = true
        return session.send("Fetch.fulfillRequest", { requestId, ...answerOf(document) })
      }
      // Where the page itself goes on to has been told by now; the rest are downloads, and frames that would break out. Without
      // content the page stays, and goes on loading.
      return session.send("Fetch.fulfillRequest", { requestId, responseCode: 204 })
    }
    // A page that is closed meanwhile has no use for the answer.
    settle().catch(() => undefined)
  })
  await session.send("Page.enable")
  await session.send("Fetch.enable", { patterns: [{ urlPattern: "*", resourceType: "Document" }] })
  return {
    session,
    frameId,
    navigated: Deferred.await(navigation),
    stopped: Deferred.await(stopped),
    hasNavigated: () => Deferred.isDoneUnsafe(navigation)
  }
}

/** Headers that the browser must not see: about the bytes on the wire, or that start a download or reports. */
const hidden = new Set([
  ...hopByHopHeaders,
  "alt-svc",
  "content-disposition",
  "content-encoding",
  "content-length",
  "content-type",
  "nel",
  "report-to",
  "reporting-endpoints"
])

const answerOf = ({ body, contentType, headers, httpStatus }: ShownDocument) => ({
  responseCode: httpStatus,
  responseHeaders: [
    ...headers.filter(([name]) => !hidden.has(name)).map(([name, value]) => ({ name, value })),
    { name: "content-type", value: contentType }
  ],
  body: Buffer.from(body).toString("base64")
})
