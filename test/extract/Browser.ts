import { readFileSync } from "node:fs"
import { Effect, type Scope } from "effect"
import { chromium } from "playwright-core"
import type { Expectation } from "./Expectation.ts"

/** What a person says of a page, in CSS selectors; a browser tells the rest. */
export interface Annotation {
  /** The content of the page; all of the body if empty. */
  readonly main: ReadonlyArray<string>
  /** What is not content inside of it. */
  readonly side: ReadonlyArray<string>
  /** Blocks of code, `pre` if absent, and what stands in them that is not code: line numbers, buttons. */
  readonly code?: string
  readonly notCode?: string
  /** The language of each block of code. */
  readonly languages?: ReadonlyArray<string | null>
  /** Signs in headings that lead to the heading itself. */
  readonly notHeading?: string
  /** Tables that are there for the layout. */
  readonly notTable?: string
  /** What is shown, but not as text. */
  readonly notText?: string
}

/** Asks a browser what a page shows. Its scripts do not run, and nothing is loaded beside it. */
export type Browser = (html: string, url: string, annotation: Annotation) => Effect.Effect<Expectation>

const seen = readFileSync(new URL("./seenInBrowser.js", import.meta.url), "utf8")

/** A Chromium for the scope, found where Debian puts it. */
export const browser: Effect.Effect<Browser, never, Scope.Scope> = Effect.gen(function* () {
  const launched = yield* Effect.acquireRelease(
    Effect.promise(() => chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] })),
    (each) => Effect.promise(() => each.close())
  )
  const context = yield* Effect.promise(() => launched.newContext({ javaScriptEnabled: false }))
  return (html, url, annotation) =>
    Effect.promise(async () => {
      const page = await context.newPage()
      let isFirst = true
      await page.route("**", (route) => {
        if (!isFirst) return route.abort()
        isFirst = false
        return route.fulfill({ contentType: "text/html; charset=utf-8", body: html })
      })
      await page.goto(url, { waitUntil: "domcontentloaded" })
      const told: Expectation = await page.evaluate(
        `(${seen.slice(seen.indexOf(";(") + 1).trim()})(${JSON.stringify(annotation)})`
      )
      await page.close()
      return told
    })
})
