import type { CommittedKeys } from "@sluice/core/sink"

/** The keys of a segment as one `bytea`; the column's comment tells the layout. */
export const packKeys = (jobs: ReadonlyArray<CommittedKeys>): Uint8Array => {
  const ids = jobs.map(({ jobId }) => Buffer.from(jobId.toWellFormed()))
  const size = jobs.reduce((sum, { keys }, at) => sum + 2 + ids[at]!.length + 4 + 8 * keys.length, 0)
  const packed = Buffer.alloc(size)
  let at = 0
  for (const [index, { keys }] of jobs.entries()) {
    at = packed.writeUInt16BE(ids[index]!.length, at)
    at += ids[index]!.copy(packed, at)
    at = packed.writeUInt32BE(keys.length, at)
    for (const key of keys) at = packed.writeBigInt64BE(key, at)
  }
  return packed
}

/** What {@link packKeys} packed. */
export const unpackKeys = (packed: Buffer): ReadonlyArray<CommittedKeys> => {
  const jobs: Array<CommittedKeys> = []
  let at = 0
  while (at < packed.length) {
    const idEnd = at + 2 + packed.readUInt16BE(at)
    const jobId = packed.toString("utf8", at + 2, idEnd)
    const keys = new BigInt64Array(packed.readUInt32BE(idEnd))
    for (let index = 0; index < keys.length; index++) keys[index] = packed.readBigInt64BE(idEnd + 4 + 8 * index)
    jobs.push({ jobId, keys })
    at = idEnd + 4 + 8 * keys.length
  }
  return jobs
}
