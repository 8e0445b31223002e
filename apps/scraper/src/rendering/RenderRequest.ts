import type { WaitConfig } from "@sluice/contract"

/** The states of a page that can be waited for, in their order. */
const lifecycle = ["commit", "domcontentloaded", "load", "networkidle"] as const
type Lifecycle = (typeof lifecycle)[number]

/** What is waited for before a page is read. */
export interface RenderWait {
  readonly until: Lifecycle
  /** A CSS selector of which an element must be there; null for none. */
  readonly selector: string | null
  /** The longest time for all of it; null for the server's own. */
  readonly timeoutMs: number | null
}

/** A document as it came from the network, to be shown in the browser in place of a request of its own. */
export interface ShownDocument {
  readonly url: string
  readonly httpStatus: number
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly contentType: string
  readonly body: Uint8Array
}

/** A cookie as the browser keeps it. */
export interface BrowserCookie {
  readonly name: string
  readonly value: string
  readonly domain: string
  readonly path: string
  readonly expires: number
  readonly httpOnly: boolean
  readonly secure: boolean
  readonly sameSite: "Strict" | "Lax" | "None"
}

/** A page to be rendered. */
export interface RenderRequest {
  readonly document: ShownDocument
  readonly wait: RenderWait
  /** Normalised URLs that the page may not go on to: it stays what it is. */
  readonly ignored: ReadonlySet<string>
  /** Whether a page that refreshes itself goes on to itself, or stays. */
  readonly rereads: boolean
  readonly userAgent: string
  /** The `Accept-Language` of what the page loads, and the languages its scripts see; undefined for the browser's own. */
  readonly acceptLanguage?: string | undefined
  /** What an earlier document of the same page left behind. */
  readonly cookies: ReadonlyArray<BrowserCookie>
}

/** A page as the browser holds it, written as HTML, or as XML if it came as such. */
export interface ReadPage {
  readonly _tag: "Rendered"
  readonly html: string
  readonly isXml: boolean
  /** What its links are resolved against. */
  readonly base: string
}

/** How a page ended that could be rendered: with its content, or by going on to another URL. */
export type RenderEnd = (ReadPage & Kept) | ({ readonly _tag: "Navigated"; readonly to: string } & Kept)

/** The cookies that the browser had at the end. */
interface Kept {
  readonly cookies: ReadonlyArray<BrowserCookie>
}

/** Whether `wait_until` names a state that is known. */
export const isLifecycle = (name: string): name is Lifecycle => lifecycle.some((known) => known === name)

/** The states that may be waited for, in words. */
export const lifecycleNames = lifecycle.join(", ")

/** What a request's `wait_config` asks for. A state that is not known counts as the default. */
export const renderWait = (config: typeof WaitConfig.Type | null): RenderWait => {
  const until = config?.wait_until ?? ""
  return {
    until: isLifecycle(until) ? until : "domcontentloaded",
    selector: config?.wait_for?.trim() || null,
    timeoutMs: config?.wait_timeout || null
  }
}
