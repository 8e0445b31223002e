import { createHmac, randomBytes } from "node:crypto"

/** A fresh signing secret. The prefix belongs to it. */
export const newSecret = (): string => `whsec_${randomBytes(32).toString("base64url")}`

/**
 * The value of `X-Webhook-Signature`: `t=<seconds since the epoch>,v1=<hex>`, with a `v1` for each secret in force. Each is
 * the HMAC-SHA256 of `<t>.<body>` under the whole secret, so that neither body nor time can be changed.
 */
export const signatureOf = (secrets: ReadonlyArray<string>, atMillis: number, body: string): string => {
  const t = Math.floor(atMillis / 1000)
  const signed = secrets.map((secret) => `v1=${createHmac("sha256", secret).update(`${t}.${body}`).digest("hex")}`)
  return [`t=${t}`, ...signed].join(",")
}
