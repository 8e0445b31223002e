import { describe } from "@effect/vitest"
import type { ExtractRequest } from "@sluice/contract"
import { Effect, Option } from "effect"
import { findChromium } from "../src/rendering/chromium.ts"
import type { Client } from "./TestScraper.ts"

const hasChromium = Option.isSome(findChromium(process.env.PATH ?? ""))

/** Tests that need a real browser; without one they are skipped, and their name says why. */
export const describeInBrowser = (name: string, tests: () => void) =>
  hasChromium ? describe(name, tests) : describe.skip(`${name} (skipped: no Chromium is installed)`, tests)

/** Renders a page; answers with its Markdown and HTML, or the `error_code`. */
export const render = (client: Client, url: string, more: Partial<ExtractRequest> = {}) =>
  client.extract.createExtraction({ payload: { url, formats: ["markdown", "html"], render_js: true, ...more } }).pipe(
    Effect.flatMap((answer) => ("data" in answer ? Effect.succeed(answer) : Effect.die("not synchronous"))),
    Effect.map(({ data, metadata }) => ({
      code: "",
      markdown: data.markdown ?? "",
      html: data.html ?? "",
      data,
      metadata
    })),
    Effect.catch((error) =>
      "code" in error
        ? Effect.succeed({ code: error.code, markdown: "", html: "", data: undefined, metadata: undefined })
        : Effect.die(error)
    )
  )
