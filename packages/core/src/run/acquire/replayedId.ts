import { createHash } from "node:crypto"

/** The id under which another pipeline's run lands: the same each time, so that it lands once. A UUID of version 8. */
export const replayedId = (runId: string, pipeline: string): string => {
  const hex = createHash("sha256").update(`${runId}\n${pipeline}`).digest("hex")
  const variant = ((Number.parseInt(hex[16]!, 16) & 3) | 8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** Whether a run is one of another pipeline that was replayed: no ledger gives a run of its own an id of that version. */
export const isReplayedId = (runId: string): boolean => /^.{14}8/.test(runId)
