import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import { type LogEntry, ProbeLog, ProbeLogEntry, ProbeLogError } from "@sluice/core/probe"
import { Effect, Option, Schema } from "effect"

const readEntry = Schema.decodeUnknownOption(Schema.fromJsonString(ProbeLogEntry))

/**
 * The log of probes in a file, one entry a line. An entry is on disk before what it announces is done. The last line may be cut off by a
 * crash: what it announced was not done, so it is dropped.
 */
export const probeLogFile = (file: string): Effect.Effect<ProbeLog["Service"], ProbeLogError> =>
  Effect.gen(function* () {
    const use = <A>(does: () => A) =>
      Effect.try({
        try: does,
        catch: () => new ProbeLogError({ detail: `${file} cannot be written to: check its permissions and the disk` })
      })
    const entries = yield* use(() => {
      mkdirSync(dirname(file), { recursive: true })
      return existsSync(file) ? readLog(file) : []
    })
    const append = (entry: LogEntry) =>
      use(() => {
        appendDurably(file, `${JSON.stringify(entry)}\n`)
        entries.push(entry)
      })
    const clear = use(() => {
      if (existsSync(file)) truncateSync(file)
      entries.splice(0)
    })
    return ProbeLog.of({ entries, append, clear })
  })

const readLog = (file: string): Array<LogEntry> => {
  const text = readFileSync(file, "utf8")
  const whole = text.lastIndexOf("\n") + 1
  if (whole < text.length) truncateSync(file, Buffer.byteLength(text.slice(0, whole)))
  return text
    .slice(0, whole)
    .split("\n")
    .flatMap((line) => Option.toArray(readEntry(line)))
}

const appendDurably = (file: string, line: string): void => {
  const handle = openSync(file, "a", 0o600)
  try {
    writeSync(handle, line)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
