import { spawn } from "node:child_process"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type { Notice } from "@sluice/core/sink"
import { Clock, Effect, Redacted } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import type { NotifyTarget } from "./NotifySettings.ts"
import { noticeBody, signedHeaders, slackBody } from "./noticeMessage.ts"

/** One attempt to deliver may take so long. */
const patience = "10 seconds"

/** Delivers a notice once. Fails with a sentence that names no address and no secret. */
export const sendNotice = (target: NotifyTarget, notice: Notice): Effect.Effect<void, string> =>
  (target.command !== undefined
    ? runCommand(target.command, notice)
    : target.webhook !== undefined
      ? postWebhook(target.webhook, notice)
      : post(Redacted.value(target.slack!.url), slackBody(notice), {})
  ).pipe(Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(`did not answer within ${patience}`) }))

const postWebhook = (
  { secret, url }: NonNullable<NotifyTarget["webhook"]>,
  notice: Notice
): Effect.Effect<void, string> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const body = noticeBody(notice)
    const key = secret === undefined ? undefined : Redacted.value(secret)
    return post(Redacted.value(url), body, signedHeaders(notice.noticeId, body, Math.floor(now / 1000), key))
  })

const post = (url: string, body: string, headers: Readonly<Record<string, string>>): Effect.Effect<void, string> =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const request = HttpClientRequest.post(url).pipe(
      HttpClientRequest.bodyText(body, "application/json"),
      HttpClientRequest.setHeaders(headers)
    )
    const { status } = yield* client.execute(request)
    if (status < 200 || status > 299) return yield* Effect.fail(`answered with ${status}`)
  }).pipe(
    Effect.mapError((error) => (typeof error === "string" ? error : "cannot be reached")),
    Effect.provide(NodeHttpClient.layerUndici)
  )

const runCommand = (command: ReadonlyArray<string>, notice: Notice): Effect.Effect<void, string> =>
  Effect.callback<void, string>((resume) => {
    const [program = "", ...args] = command
    const child = spawn(program, args, {
      stdio: ["pipe", "ignore", "ignore"],
      env: { ...process.env, SLUICE_EVENT: notice.event, SLUICE_RUN: notice.receipt.run_id }
    })
    child.once("error", () => resume(Effect.fail("could not be started")))
    child.once("close", (code) => resume(code === 0 ? Effect.void : Effect.fail(`ended with exit code ${code}`)))
    // One that does not read its input is no failure of ours.
    child.stdin.on("error", () => undefined)
    child.stdin.end(noticeBody(notice))
    return Effect.sync(() => void child.kill("SIGKILL"))
  })
