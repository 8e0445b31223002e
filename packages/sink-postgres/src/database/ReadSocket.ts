import { chmod, type FileHandle, open, rm } from "node:fs/promises"
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http"
import { basename, dirname } from "node:path"
import { text } from "node:stream/consumers"
import { Schema } from "effect"
import type { Row } from "./Database.ts"

/** Others that are answered at once, the largest question, the largest answer, and how long one may take. */
const mostConnections = 8
const largestQuestion = 64 * 1024
const largestAnswer = 64 * 1024 * 1024
const patienceMs = 10_000

/** The longest address of a socket that every system takes. */
const longestAddress = 100

const Question = Schema.fromJsonString(
  Schema.Struct({ schema: Schema.String, sql: Schema.String, parameters: Schema.Array(Schema.Json) })
)
/** A statement that another process asks for. */
export type Question = typeof Question.Type
const Answer = Schema.fromJsonString(Schema.Array(Schema.Record(Schema.String, Schema.Json)))

const decodeQuestion = Schema.decodeUnknownPromise(Question)
const decodeAnswer = Schema.decodeUnknownPromise(Answer)

/** The file by which a process that holds the database in a directory answers others. It lies beside the directory. */
export const socketOf = (directory: string): string => `${directory}.sock`

/** The socket could not be asked: nobody listens, or it does not answer. */
export class Unanswered extends Error {
  /** Whether nobody listens. */
  readonly isAbsent: boolean

  constructor(message: string, isAbsent: boolean) {
    super(message)
    this.isAbsent = isAbsent
  }
}

/**
 * Answers statements of other processes of this user until it is closed. Only who holds the directory may call it: a socket that
 * lies there is what a holder before left that died.
 */
export const answerOthers = async (
  directory: string,
  answer: (question: Question) => Promise<ReadonlyArray<Row>>
): Promise<() => Promise<void>> => {
  const file = socketOf(directory)
  await rm(file, { force: true })
  const server = createServer({ requestTimeout: patienceMs, headersTimeout: patienceMs }, (incoming, response) => {
    void respond(incoming, response, answer)
  })
  server.maxConnections = mostConnections
  // The process ends when its own work does.
  server.unref()
  const { address, close } = await shortAddress(file)
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(address, resolve)
  }).catch(async (cause: unknown) => {
    await close()
    throw cause
  })
  await chmod(file, 0o600)
  return async () => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => void server.close(() => resolve()))
    await rm(file, { force: true })
    await close()
  }
}

const respond = async (
  incoming: IncomingMessage,
  response: ServerResponse,
  answer: (question: Question) => Promise<ReadonlyArray<Row>>
): Promise<void> => {
  const end = (status: number, body: string) => {
    response.writeHead(status, { connection: "close", "content-type": "application/json" }).end(body)
  }
  try {
    const length = Number(incoming.headers["content-length"])
    if (!(length <= largestQuestion)) return end(413, "")
    const question = await decodeQuestion(await text(incoming))
    const body = JSON.stringify(await answer(question))
    return body.length > largestAnswer ? end(507, "") : end(200, body)
  } catch {
    return end(500, "")
  }
}

/** Asks the process that holds a directory. Fails with {@link Unanswered}. */
export const askHolder = async (directory: string, question: Question): Promise<ReadonlyArray<Row>> => {
  const body = JSON.stringify(question)
  const { address, close } = await shortAddress(socketOf(directory))
  try {
    const answered = await new Promise<string>((resolve, reject) => {
      const asked = request(
        {
          socketPath: address,
          method: "POST",
          path: "/",
          agent: false,
          headers: { "content-length": Buffer.byteLength(body) },
          signal: AbortSignal.timeout(patienceMs)
        },
        (response) => {
          if (response.statusCode === 200) text(response).then(resolve, reject)
          else reject(new Unanswered("the process that holds the database did not answer", false))
        }
      )
      asked.once("error", (cause: NodeJS.ErrnoException) =>
        reject(
          new Unanswered(
            "the process that holds the database did not answer",
            cause.code === "ENOENT" || cause.code === "ECONNREFUSED"
          )
        )
      )
      asked.end(body)
    })
    return await decodeAnswer(answered)
  } finally {
    await close()
  }
}

/** An address by which a long path can be reached where the system shows open directories as files. */
const shortAddress = async (
  file: string
): Promise<{ readonly address: string; readonly close: () => Promise<void> }> => {
  if (Buffer.byteLength(file) <= longestAddress) return { address: file, close: async () => undefined }
  let handle: FileHandle
  try {
    handle = await open(dirname(file), "r")
  } catch {
    throw new Unanswered("the directory of the database cannot be read", true)
  }
  return { address: `/proc/self/fd/${handle.fd}/${basename(file)}`, close: () => handle.close() }
}
