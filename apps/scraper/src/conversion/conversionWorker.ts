import { parentPort } from "node:worker_threads"
import { anyContentOf, type ConversionRequest, type PageContent } from "./PageContent.ts"

/** What a worker tells: once that it is ready, then an answer to each request, one after the other. */
export type ConversionReply =
  | { readonly _tag: "Ready" }
  | { readonly _tag: "Converted"; readonly content: PageContent }
  | { readonly _tag: "Failed"; readonly message: string }

const replyTo = async (request: ConversionRequest): Promise<ConversionReply> => {
  try {
    return { _tag: "Converted", content: await anyContentOf(request) }
  } catch (cause) {
    return { _tag: "Failed", message: String(cause) }
  }
}

const tell = (reply: ConversionReply) => parentPort?.postMessage(reply)

parentPort?.on("message", (request: ConversionRequest) => void replyTo(request).then(tell))
tell({ _tag: "Ready" })
