import { createHash } from "node:crypto"
import { openApi, ScraperApi } from "@sluice/contract"
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiSwagger } from "effect/http-api"

const pagePath = "/docs"

const Page = HttpApiSwagger.layer(ScraperApi, { path: pagePath })

const Document = HttpRouter.use((router) => {
  const response = HttpServerResponse.jsonUnsafe(openApi())
  return router.add("GET", "/openapi.json", Effect.succeed(response))
})

/** Allows a page its own scripts by their hashes, requests to this server, and nothing else from anywhere. */
const policyFor = (html: string): string => {
  const hashes = Array.from(
    html.matchAll(/<script>([\s\S]*?)<\/script>/g),
    ([, script = ""]) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`
  )
  return [
    "default-src 'none'",
    `script-src ${hashes.join(" ")}`,
    "style-src 'unsafe-inline'",
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join("; ")
}

const textOf = ({ body }: HttpServerResponse.HttpServerResponse): string =>
  body._tag === "Uint8Array" ? Buffer.from(body.body).toString() : ""

const Policy = HttpRouter.middleware(
  Effect.sync(() => {
    let policy: string | undefined
    return (httpEffect) =>
      Effect.gen(function* () {
        const { url } = yield* HttpServerRequest.HttpServerRequest
        const response = yield* httpEffect
        if (url.split("?")[0] !== pagePath || response.status !== 200) return response
        policy ??= policyFor(textOf(response))
        return HttpServerResponse.setHeaders(response, {
          "content-security-policy": policy,
          "x-content-type-options": "nosniff",
          "referrer-policy": "no-referrer"
        })
      })
  }),
  { global: true }
)

/**
 * `/openapi.json`, and `/docs` for people: a page that needs no other server and no key. Its calls use the key that
 * its reader enters.
 */
export const Reference = Layer.mergeAll(Page, Document, Policy)
