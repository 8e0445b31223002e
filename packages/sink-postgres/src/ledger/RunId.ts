import { randomUUID } from "node:crypto"
import { Effect } from "effect"

/** A UUID of version 7: ids of later runs sort after those of earlier ones. */
export const makeRunId = (milliseconds: number): Effect.Effect<string> =>
  Effect.sync(() => {
    const time = Math.trunc(milliseconds).toString(16).padStart(12, "0")
    return `${time.slice(0, 8)}-${time.slice(8, 12)}-7${randomUUID().slice(15)}`
  })
