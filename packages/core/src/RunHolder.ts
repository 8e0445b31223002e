import { randomBytes } from "node:crypto"
import { hostname } from "node:os"
import { Effect } from "effect"

/** Names this process as the holder of a run: host, process id, and a word of its own. */
export const makeHolder: Effect.Effect<string> = Effect.sync(
  () => `${hostname()}/${process.pid}/${randomBytes(4).toString("hex")}`
)

/** Whether a holder is a process of this host that has died: then its lease need not be waited for. */
export const isKnownDead = (holder: string): Effect.Effect<boolean> =>
  Effect.sync(() => {
    const [host, pid] = holder.split("/")
    if (host !== hostname() || pid === undefined || Number(pid) === process.pid) return false
    try {
      process.kill(Number(pid), 0)
      return false
    } catch (error) {
      return error instanceof Error && "code" in error && error.code === "ESRCH"
    }
  })
