import { assert, describe, it } from "@effect/vitest"
import { openApi } from "@sluice/contract"
import { Effect, Option } from "effect"
import { chromium } from "playwright-core"
import { findChromium } from "../src/rendering/chromium.ts"
import { describeInBrowser } from "./TestBrowser.ts"
import { raw, testServer } from "./TestScraper.ts"

/** A browser that may go wherever a page leads it. */
const browserOfItsOwn = Effect.acquireRelease(
  Effect.promise(() =>
    chromium.launch({
      executablePath: Option.getOrThrow(findChromium(process.env.PATH ?? "")),
      chromiumSandbox: process.getuid?.() !== 0,
      args: ["--disable-gpu", "--disable-quic", "--disable-background-networking"]
    })
  ),
  (browser) => Effect.promise(() => browser.close())
)

describe("the reference", () => {
  it.live("is the document of the contract, for whoever asks", () =>
    Effect.gen(function* () {
      const baseUrl = yield* testServer()
      const { body, headers, status } = yield* raw(`${baseUrl}/openapi.json`)
      assert.strictEqual(status, 200)
      assert.match(headers.get("content-type") ?? "", /^application\/json/)
      assert.deepStrictEqual(body, JSON.parse(JSON.stringify(openApi())))
    })
  )

  it.live("is a page that allows nothing from anywhere else", () =>
    Effect.gen(function* () {
      const response = yield* Effect.flatMap(testServer(), (baseUrl) => Effect.promise(() => fetch(`${baseUrl}/docs`)))
      const html = yield* Effect.promise(() => response.text())
      const policy = response.headers.get("content-security-policy") ?? ""
      assert.match(policy, /^default-src 'none'; script-src 'sha256-[^']{44}'; /)
      assert.notMatch(html, /<(?:script|link|img|iframe)[^>]+(?:src|href)=["']?(?:https?:)?\/\//)
    })
  )
})

describeInBrowser("the reference page in a browser", () => {
  it.live("shows every operation, and asks nobody else for anything", () =>
    Effect.gen(function* () {
      const baseUrl = yield* testServer()
      const browser = yield* browserOfItsOwn
      const page = yield* Effect.promise(() => browser.newPage())
      const asked: Array<string> = []
      const complaints: Array<string> = []
      page.on("request", (request) => asked.push(request.url()))
      page.on("console", (message) => {
        if (message.type() === "error") complaints.push(message.text())
      })
      page.on("pageerror", (error) => complaints.push(error.message))
      yield* Effect.promise(() => page.goto(`${baseUrl}/docs`))
      const operations = page.locator(".opblock")
      yield* Effect.promise(() => operations.nth(26).waitFor())
      assert.strictEqual(yield* Effect.promise(() => operations.count()), 27)
      const title = yield* Effect.promise(() => page.locator("h1.title, h2.title").first().textContent())
      assert.match(title ?? "", /^Scraper API/)
      // What a person does: opens an operation, and calls it.
      yield* Effect.promise(async () => {
        await operations.first().click()
        await page.getByRole("button", { name: "Try it out" }).click()
        await page.getByRole("button", { name: "Execute" }).click()
        await page.locator(".live-responses-table .response-col_status").first().waitFor()
      })
      const answered = yield* Effect.promise(() => page.locator(".live-responses-table").textContent())
      assert.include(answered, "scraper-api")
      assert.deepStrictEqual(
        asked.filter((url) => !url.startsWith(baseUrl) && !url.startsWith("data:")),
        []
      )
      assert.deepStrictEqual(complaints, [])
    })
  )
})
