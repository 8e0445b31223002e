import type { Dispatcher } from "undici"

/** Tells when a request is really written to its connection, which may be long after it was made: that is made first. */
export const whenSent = (dispatcher: Dispatcher, sent: () => void): Dispatcher =>
  dispatcher.compose((dispatch) => (options, handler) => {
    const onRequestStart: Dispatcher.DispatchHandler["onRequestStart"] = (controller, context) => {
      sent()
      handler.onRequestStart?.(controller, context)
    }
    return dispatch(options, {
      onRequestStart,
      onRequestUpgrade: (...args) => handler.onRequestUpgrade?.(...args),
      onResponseStart: (...args) => handler.onResponseStart?.(...args),
      onResponseData: (...args) => handler.onResponseData?.(...args),
      onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
      onResponseError: (...args) => handler.onResponseError?.(...args)
    })
  })
