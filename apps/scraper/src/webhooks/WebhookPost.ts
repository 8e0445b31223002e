import { Context, Effect, Layer } from "effect"
import { type Agent, request } from "undici"
import { TargetAgent } from "../net/TargetAgent.ts"
import { ServerSettings } from "../ScraperConfig.ts"

/** Most bytes of a receiver's answer that are read, only to keep its connection. */
const maxAnswerBytes = 16 * 1024

/** Posts to the receivers of webhooks: one attempt, no redirect, every address guarded. */
export class WebhookPost extends Context.Service<
  WebhookPost,
  {
    /** The status of the answer, or none if there was none in time. */
    readonly post: (
      url: string,
      headers: Readonly<Record<string, string>>,
      body: string
    ) => Effect.Effect<number | undefined>
  }
>()("@sluice/scraper/webhooks/WebhookPost") {
  static readonly layer: Layer.Layer<WebhookPost, never, ServerSettings | TargetAgent> = Layer.effect(
    this,
    Effect.gen(function* () {
      const { webhookTimeoutMs } = yield* ServerSettings
      const { dispatcher } = yield* TargetAgent
      return WebhookPost.of({
        post: Effect.fn("WebhookPost.post")((url, headers, body) =>
          Effect.tryPromise((signal) => send(dispatcher, url, headers, body, signal)).pipe(
            Effect.timeout(webhookTimeoutMs),
            Effect.tapError((error) => Effect.logDebug("A webhook was not delivered", error)),
            Effect.orElseSucceed(() => undefined)
          )
        )
      })
    })
  )
}

const send = async (
  dispatcher: Agent,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal
): Promise<number> => {
  const answer = await request(url, { method: "POST", dispatcher, signal, headers: { ...headers }, body })
  await answer.body.dump({ limit: maxAnswerBytes, signal }).catch(() => undefined)
  return answer.statusCode
}
