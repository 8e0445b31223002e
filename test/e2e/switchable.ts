import { connect, createServer, type Socket } from "node:net"
import { Effect } from "effect"

/** A way to a server that can be cut: connections through it break off, and new ones are refused, until it is there again. */
export const switchable = (address: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const target = new URL(address)
      const open = new Set<Socket>()
      let isDown = false
      const server = createServer((socket) => {
        if (isDown) return socket.destroy()
        const onward = connect(Number(target.port), target.hostname)
        for (const each of [socket, onward]) {
          open.add(each)
          each.on("error", () => each.destroy())
          each.on("close", () => open.delete(each))
        }
        socket.on("close", () => onward.destroy())
        onward.on("close", () => socket.destroy())
        return socket.pipe(onward).pipe(socket)
      })
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      const { port } = server.address() as { readonly port: number }
      const turn = (down: boolean) => {
        isDown = down
        if (down) for (const socket of open) socket.destroy()
      }
      return { endpoint: `http://127.0.0.1:${port}`, turn, server }
    }),
    ({ server, turn }) =>
      Effect.promise(async () => {
        turn(true)
        await new Promise((resolve) => server.close(resolve))
      })
  )
