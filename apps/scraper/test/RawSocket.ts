import { connect } from "node:net"
import { Effect } from "effect"

/** What came back over a connection until the server closed it, or until `patienceMs` had passed without an end. */
export interface RawAnswer {
  readonly text: string
  /** The status of each answer, in order. */
  readonly statuses: ReadonlyArray<number>
  readonly isClosed: boolean
}

/** Sends bytes as they are, one part after the other, the next once `pauseMs` have passed. */
export const sendRaw = (
  baseUrl: string,
  parts: ReadonlyArray<string | Uint8Array>,
  { patienceMs = 5000, pauseMs = 0 }: { readonly patienceMs?: number; readonly pauseMs?: number } = {}
) =>
  Effect.callback<RawAnswer>((resume) => {
    const { hostname, port } = new URL(baseUrl)
    const socket = connect(Number(port), hostname)
    const chunks: Array<Buffer> = []
    const end = (isClosed: boolean) => {
      clearTimeout(patience)
      clearTimeout(pause)
      socket.destroy()
      const text = Buffer.concat(chunks).toString("latin1")
      const statuses = Array.from(text.matchAll(/(?:^|\n|\})HTTP\/1\.1 (\d{3})/g), ([, status]) => Number(status))
      resume(Effect.succeed({ text, statuses, isClosed }))
    }
    const patience = setTimeout(() => end(false), patienceMs)
    let pause: NodeJS.Timeout | undefined
    const send = ([first, ...rest]: ReadonlyArray<string | Uint8Array>): void => {
      if (first === undefined || socket.destroyed) return
      socket.write(first)
      pause = setTimeout(() => send(rest), pauseMs)
    }
    socket.on("connect", () => send(parts))
    socket.on("data", (chunk) => chunks.push(chunk))
    // A server that refuses early resets what is still on its way.
    socket.on("error", () => undefined)
    socket.on("close", () => end(true))
  })
