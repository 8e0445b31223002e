import { createHash } from "node:crypto"

/** The ID under which a pipeline loads a run of another one: the same each time, so that it is loaded once. A UUID of version 8. */
export const replayedId = (runId: string, pipeline: string): string => {
  const hex = createHash("sha256").update(`${runId}\n${pipeline}`).digest("hex")
  const variant = ((Number.parseInt(hex[16]!, 16) & 3) | 8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
