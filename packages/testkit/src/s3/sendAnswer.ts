import type { ServerResponse } from "node:http"
import type { S3Answer } from "./S3Answer.ts"

/** How much of an answer's body arrives. */
export type Sent = "whole" | "half" | "none"

/**
 * Writes an answer: whole, or half of its body and then a broken connection, or its headers and then nothing more. Where there
 * is no body to be missed, it is the headers that are cut off or never come.
 */
export const sendAnswer = (
  { body, headers, status }: S3Answer,
  response: ServerResponse,
  sent: Sent = "whole"
): void => {
  const hasBody = body.length > 0 && response.req.method !== "HEAD" && status !== 204 && status !== 304
  if (sent === "none" && !hasBody) return
  if (sent === "half" && !hasBody) {
    response.socket?.write(`HTTP/1.1 ${status}`, () => response.socket?.destroy())
    return
  }
  response.writeHead(status, {
    ...headers,
    ...(status === 204 || status === 304 ? {} : { "content-length": body.length }),
    "x-amz-request-id": "testkit",
    server: "testkit"
  })
  if (sent === "whole") {
    response.end(hasBody ? body : undefined)
    return
  }
  response.flushHeaders()
  if (sent === "half") response.write(body.subarray(0, body.length / 2), () => response.socket?.destroy())
}
