import type { Dispatcher } from "undici"

/** The octets of the headers of an answer, names and values in turns. */
export type RawHeaders = ReadonlyArray<Uint8Array | string>

/**
 * Tells when a request is really written to its connection, which may be long after it was made: that is made first. And hands over
 * the headers of the answer as they came.
 */
export const whenSent = (dispatcher: Dispatcher, sent: () => void, headed: (raw: RawHeaders) => void): Dispatcher =>
  dispatcher.compose((dispatch) => (options, handler) => {
    const onRequestStart: Dispatcher.DispatchHandler["onRequestStart"] = (controller, context) => {
      sent()
      handler.onRequestStart?.(controller, context)
    }
    return dispatch(options, {
      onRequestStart,
      onRequestUpgrade: (...args) => handler.onRequestUpgrade?.(...args),
      onResponseStart: (controller, ...args) => {
        if (Array.isArray(controller.rawHeaders)) headed(controller.rawHeaders)
        handler.onResponseStart?.(controller, ...args)
      },
      onResponseData: (...args) => handler.onResponseData?.(...args),
      onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
      onResponseError: (...args) => handler.onResponseError?.(...args)
    })
  })
