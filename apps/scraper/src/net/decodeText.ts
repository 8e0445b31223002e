import { legacyHookDecode } from "@exodus/bytes/encoding.js"
import { pageEncoding } from "./pageEncoding.ts"

/** The text of a body in the encoding that {@link pageEncoding} finds, without its byte-order mark. */
export const decodeText = (body: Uint8Array, contentType: string): string =>
  decodedFrom(body, pageEncoding(body, contentType))

/** The text of a body in an encoding by its name, without its byte-order mark. */
export const decodedFrom = (body: Uint8Array, encoding: string): string => legacyHookDecode(body, encoding)
