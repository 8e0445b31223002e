import { spawn } from "node:child_process"
import { parseArgs } from "node:util"
import workspace from "../../package.json" with { type: "json" }
import { bundle, writeAll } from "../setup/bundles.ts"
import { median } from "./measured.ts"
import type { WriterReport } from "./objectWriter.ts"

// How fast pages land as objects of an S3 server on this machine, beside a raw put of the same rows: serialised beforehand, through
// the same compressor, two at once. Every case is a process of its own; so is the server, which keeps what it gets in memory and
// proves every hash. MB are of pages as a segment weighs them.
// node test/bench/objects.ts [--segments 12] [--size 8192] [--links 10] [--rounds 3]

const { values: flags } = parseArgs({
  options: {
    segments: { type: "string", default: "12" },
    size: { type: "string", default: "8192" },
    links: { type: "string", default: "10" },
    rounds: { type: "string", default: "3" }
  }
})

const heap = workspace.scripts.sluice.split(" ").filter((word) => word.startsWith("--max-"))
const programs = {
  server: bundle("object-store", "test/bench/objectStore.ts"),
  writer: bundle("object-writer", "test/bench/objectWriter.ts")
}

/** Starts a bundled program; answers its first line, and how to end it. */
const start = (file: string, environment: Readonly<Record<string, string>>, args: ReadonlyArray<string> = []) => {
  const child = spawn(process.execPath, [...args, file], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ["ignore", "pipe", "inherit"]
  })
  const line = new Promise<string>((resolve, reject) => {
    let output = ""
    child.stdout.on("data", (chunk: Buffer) => {
      output += `${chunk}`
      if (output.includes("\n")) resolve(output)
    })
    child.once("exit", (code) => reject(new Error(`${file} ended with ${code}`)))
  })
  return { line, end: () => void child.kill("SIGKILL") }
}

const measure = async (format: string): Promise<WriterReport> => {
  const server = start(programs.server.file, {})
  try {
    const { accessKeyId, endpoint, region, secretAccessKey } = JSON.parse(await server.line)
    const writer = start(
      programs.writer.file,
      {
        ENDPOINT: endpoint,
        REGION: region,
        KEY: accessKeyId,
        SECRET: secretAccessKey,
        FORMAT: format,
        SEGMENTS: flags.segments,
        SIZE: flags.size,
        LINKS: flags.links
      },
      heap
    )
    return JSON.parse(await writer.line)
  } finally {
    server.end()
  }
}

await writeAll(programs)
const formats = ["raw", "jsonl", "parquet"] as const
const reports = new Map<string, Array<WriterReport>>(formats.map((format) => [format, []]))
for (let round = 0; round < Number(flags.rounds); round++) {
  for (const format of formats) reports.get(format)!.push(await measure(format))
}
const speedsOf = (format: string) => reports.get(format)!.map(({ megabytes, seconds }) => megabytes / seconds)
const names = { raw: "raw put of gzip JSON Lines", jsonl: "sink, gzip JSON Lines", parquet: "sink, zstd Parquet" }
for (const format of formats) {
  const speed = median(speedsOf(format))
  // Round by round: what else the machine does from one minute to the next is in both.
  const ofRaw = median(speedsOf(format).map((speed, round) => speed / speedsOf("raw")[round]!))
  const cpu = median(reports.get(format)!.map(({ cpu, megabytes }) => (1000 * cpu) / megabytes))
  const rss = Math.max(...reports.get(format)!.map(({ peakRss }) => peakRss))
  const columns = [
    names[format].padEnd(30),
    `${speed.toFixed(1)} MB/s`.padStart(12),
    `${ofRaw.toFixed(2)} of raw`.padStart(14),
    `${cpu.toFixed(1)} ms of CPU a MB`.padStart(24),
    `peak RSS ${Math.round(rss)} MB`.padStart(20)
  ]
  process.stdout.write(`${columns.join("")}\n`)
}
process.exit(0)
