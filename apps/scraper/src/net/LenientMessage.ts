import type { Socket } from "node:net"
import { Readable } from "node:stream"
import type { OpenedResponse } from "./OpenedResponse.ts"
import { finalFailure } from "./PageFailure.ts"

const protocolError = (message: string) => finalFailure("PROTOCOL_ERROR", `The answer is not HTTP: ${message}`)

/** Junk that may stand before the status line, in octets. */
const maxJunk = 4
/** The longest line that begins a chunk. */
const maxChunkLine = 1024

/**
 * Asks for a URL over a connection of its own, and reads the answer as leniently as Chromium does: lines that end in LF alone,
 * lines that are no headers, blanks before colons, folded values, lengths that are given twice, chunks and a length at once.
 * The connection is used for nothing else.
 */
export const askLeniently = async (
  socket: Socket,
  request: { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly maxHeaderBytes: number }
): Promise<OpenedResponse> => {
  const { host, pathname, search } = new URL(request.url)
  const fields = Object.entries({ host, ...request.headers, connection: "close" })
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\n${lines}\r\n`, "latin1")
  const wire = new Octets(socket)
  const start = await wire.upTo(/HTTP\/.*?\n\r?\n/is, request.maxHeaderBytes)
  if (start === undefined) throw protocolError("it has no headers, or too many")
  const head = readHead(start)
  if (head.status < 200 && head.status !== 101) throw protocolError(`it ends with status ${head.status}`)
  return { ...head, body: Readable.from(bodyOf(wire, head.lines)) }
}

/** What a socket brings, a part at a time. */
class Octets {
  private readonly socket: Socket
  private held: Buffer = Buffer.alloc(0)
  private hasEnded = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.pause()
    socket.on("end", () => {
      this.hasEnded = true
    })
  }

  /** The text up to and with what is looked for; undefined if it is not there within so many octets. */
  async upTo(end: RegExp, most: number): Promise<string | undefined> {
    while (true) {
      const text = this.held.toString("latin1", 0, most)
      const found = end.exec(text)
      if (found !== null) {
        const length = found.index + found[0].length
        this.held = this.held.subarray(length)
        return text.slice(0, length)
      }
      if (this.held.byteLength >= most || !(await this.more())) return undefined
    }
  }

  /** What is there, and at most so much of it; undefined at the end. */
  async some(most: number): Promise<Buffer | undefined> {
    if (this.held.byteLength === 0 && !(await this.more())) return undefined
    const some = this.held.subarray(0, most)
    this.held = this.held.subarray(some.byteLength)
    return some
  }

  private async more(): Promise<boolean> {
    const chunk: Buffer | null = this.socket.read()
    if (chunk !== null) {
      this.held = this.held.byteLength === 0 ? chunk : Buffer.concat([this.held, chunk])
      return true
    }
    if (this.hasEnded || this.socket.readableEnded) return false
    if (this.socket.destroyed) throw this.socket.errored ?? new Error("The connection was closed")
    await new Promise<void>((resolve) => {
      const events = ["readable", "end", "close"] as const
      const done = () => {
        for (const event of events) this.socket.off(event, done)
        resolve()
      }
      for (const event of events) this.socket.on(event, done)
    })
    return this.more()
  }
}

const readHead = (text: string): Pick<OpenedResponse, "lines" | "status"> => {
  const start = text.search(/HTTP\//i)
  const status = /^HTTP\/\s*[\d.]*\s*(\d{3})(?!\d)/i.exec(text.slice(start))?.[1]
  if (start === -1 || start > maxJunk || status === undefined) throw protocolError("it has no status line")
  const unfolded = text.slice(start).replace(/\r?\n[ \t]+/g, " ")
  const lines = unfolded
    .split(/\r?\n/)
    .slice(1)
    .flatMap((line) => {
      const colon = line.indexOf(":")
      const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase()
      return /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name) ? [[name, line.slice(colon + 1).trim()] as const] : []
    })
  return { status: Number(status), lines }
}

const valuesOf = (lines: OpenedResponse["lines"], name: string): ReadonlyArray<string> =>
  lines.flatMap(([each, value]) => (each === name ? value.split(",").map((part) => part.trim()) : []))

async function* bodyOf(wire: Octets, lines: OpenedResponse["lines"]): AsyncGenerator<Uint8Array> {
  if (valuesOf(lines, "transfer-encoding").some((coding) => /^chunked$/i.test(coding))) return yield* chunks(wire)
  const lengths = new Set(valuesOf(lines, "content-length").filter((length) => /^\d+$/.test(length)))
  if (lengths.size > 1) throw protocolError("it has several lengths")
  const [length] = lengths
  let left = length === undefined ? Number.POSITIVE_INFINITY : Number(length)
  while (left > 0) {
    const part = await wire.some(left)
    if (part === undefined && Number.isFinite(left)) throw new Error("The answer ends before its length")
    if (part === undefined) return
    left -= part.byteLength
    yield part
  }
}

async function* chunks(wire: Octets): AsyncGenerator<Uint8Array> {
  while (true) {
    const line = await wire.upTo(/\n/, maxChunkLine)
    if (line === undefined) throw new Error("The answer ends before its last chunk")
    const size = /^[ \t]*([0-9a-f]{1,12})[ \t]*(?:;.*)?\r?\n$/i.exec(line)?.[1]
    if (size === undefined) throw protocolError("a chunk has no size")
    let left = Number.parseInt(size, 16)
    if (left === 0) return
    while (left > 0) {
      const part = await wire.some(left)
      if (part === undefined) throw new Error("The answer ends within a chunk")
      left -= part.byteLength
      yield part
    }
    await wire.upTo(/\n/, maxChunkLine)
  }
}
