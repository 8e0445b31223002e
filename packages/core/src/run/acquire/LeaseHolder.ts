import { randomBytes } from "node:crypto"
import { hostname } from "node:os"
import { Duration, Effect } from "effect"
import type { Lease } from "../../ledger/Ledger.ts"

/** Names this process as the holder of a run: host, process id, and a word of its own. */
const makeLeaseHolder: Effect.Effect<string> = Effect.sync(
  () => `${hostname()}/${process.pid}/${randomBytes(4).toString("hex")}`
)

/** Whether a holder is a process of this host that has died: then its lease need not be waited for. */
export const isKnownDead = (holder: string): Effect.Effect<boolean> => Effect.sync(() => lifeOf(holder) === "dead")

/** Whether a holder is a living process of this host: then there is no point in waiting for its lease to pass. */
export const isKnownAlive = (holder: string): Effect.Effect<boolean> => Effect.sync(() => lifeOf(holder) === "alive")

/** Our own id tells nothing: in a container that has been restarted, the process before may have had it. */
const lifeOf = (holder: string): "alive" | "dead" | "unknown" => {
  const [host, pid] = holder.split("/")
  if (host !== hostname() || pid === undefined || Number(pid) === process.pid) return "unknown"
  try {
    process.kill(Number(pid), 0)
    return "alive"
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) return "unknown"
    return error.code === "ESRCH" ? "dead" : error.code === "EPERM" ? "alive" : "unknown"
  }
}

/** A lease in the name of this process. */
export const makeLease = (duration: Duration.Input): Effect.Effect<Lease> =>
  Effect.map(makeLeaseHolder, (holder) => ({ holder, durationMs: Duration.toMillis(duration) }))
