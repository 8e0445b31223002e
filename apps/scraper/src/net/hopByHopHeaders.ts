/**
 * Headers that belong to one connection (RFC 9110, section 7.6.1) and are never forwarded. `Content-Length` is not one: it
 * describes the message.
 */
export const hopByHopHeaders: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])
