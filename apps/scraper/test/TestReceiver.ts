import { createHmac } from "node:crypto"
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http"
import { WebhookEnvelope } from "@sluice/contract"
import { Effect, Schema } from "effect"

/** What a receiver was sent. */
export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A receiver of webhooks on loopback. It answers 200 unless told otherwise. */
export interface TestReceiver {
  readonly url: string
  readonly received: ReadonlyArray<Received>
  /** Sets what is answered from now on. */
  readonly answer: (respond: (response: ServerResponse) => void) => void
}

/** Starts a receiver on a free port. */
export const testReceiver = Effect.acquireRelease(
  Effect.callback<TestReceiver & { readonly close: () => void }>((resume) => {
    const received: Array<Received> = []
    let respond = status(200)
    const server = createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk) => chunks.push(chunk))
      request.on("end", () => {
        received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
        respond(response)
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = address !== null && typeof address === "object" ? address.port : 0
      resume(
        Effect.succeed({
          url: `http://127.0.0.1:${port}/hook?token=1`,
          received,
          answer: (next) => {
            respond = next
          },
          close: () => {
            server.closeAllConnections()
            server.close()
          }
        })
      )
    })
  }),
  (receiver) => Effect.sync(() => receiver.close())
)

/** Answers with a status. */
export const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(code, headers).end("a body of no interest")

/** The signatures of a delivery, as `X-Webhook-Signature` has them. */
export const signaturesOf = ({ headers }: Received): ReadonlyArray<string> =>
  String(headers["x-webhook-signature"])
    .split(",")
    .flatMap((part) => (part.startsWith("v1=") ? [part.slice(3)] : []))

/** What a receiver would compute for a delivery under a secret. */
export const expectedSignature = ({ body, headers }: Received, secret: string): string => {
  const time = /^t=(\d+),/.exec(String(headers["x-webhook-signature"]))?.[1]
  return createHmac("sha256", secret).update(`${time}.${body}`).digest("hex")
}

/** The envelope of a delivery. */
export const envelopeOf = ({ body }: Received) => Schema.decodeSync(Schema.fromJsonString(WebhookEnvelope))(body)
