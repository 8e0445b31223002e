import { createHmac } from "node:crypto"
import type { Notice } from "@sluice/core/sink"

/** What is delivered: the receipt, and which notice it is. */
export const noticeBody = ({ createdAt, event, noticeId, receipt }: Notice): string =>
  JSON.stringify({
    type: `run.${event}`,
    timestamp: new Date(createdAt).toISOString(),
    id: noticeId,
    data: { event, receipt }
  })

/** The headers by which a receiver proves a body: those of Standard Webhooks. `seconds` is the time of this attempt. */
export const signedHeaders = (
  noticeId: string,
  body: string,
  seconds: number,
  secret: string | undefined
): Readonly<Record<string, string>> => ({
  "webhook-id": noticeId,
  "webhook-timestamp": `${seconds}`,
  ...(secret === undefined
    ? {}
    : {
        "webhook-signature": `v1,${createHmac("sha256", keyOf(secret))
          .update(`${noticeId}.${seconds}.${body}`)
          .digest("base64")}`
      })
})

const keyOf = (secret: string): Buffer =>
  secret.startsWith("whsec_") ? Buffer.from(secret.slice("whsec_".length), "base64") : Buffer.from(secret)

/** Codes of failed pages that a message names. */
const mostCodes = 3

/** A notice in a few lines for people, in Slack's format. */
export const slackBody = ({ event, receipt }: Notice): string => {
  const { failures = [], pages, pipeline, reason, run_id: runId, tokens } = receipt
  const codes = failures
    .slice(0, mostCodes)
    .map(({ code, count, http_status: status }) => `${count} ${code}${status === undefined ? "" : ` (${status})`}`)
  const lines = [
    `*${pipeline}*: ${titles[event] ?? event}`,
    ...(reason === undefined ? [] : [reason]),
    `${pages.delivered} pages, ${pages.failed} failed, ${tokens.charged} tokens`,
    ...(codes.length === 0 ? [] : [`failed pages: ${codes.join(", ")}`]),
    `run ${runId}`
  ]
  return JSON.stringify({ text: lines.map(escaped).join("\n") })
}

const titles: Readonly<Record<string, string>> = {
  failed: "a run failed",
  incomplete: "a run is incomplete",
  halted: "a run halted and waits for a decision",
  stopped_budget: "a run was stopped by its budget",
  recovered: "runs complete again",
  quarantine: "too many records became dead letters",
  slow: "a run took longer than expected"
}

/** Slack's own three, and what would mention people: what pages and servers say is only text. */
const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("@", "@\u200b")
