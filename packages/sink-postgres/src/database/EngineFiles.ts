import type { PGlite } from "@electric-sql/pglite"
import { NodeFS } from "@electric-sql/pglite/nodefs"

/** The engine's log could not be written. Its code is the one by which a server says that a disk is full. */
class LogFailure extends Error {
  readonly code = "53100"
}

type InitOptions = Parameters<NodeFS["init"]>[1]
type Engine = PGlite["Module"]

/** The part of Emscripten's files on Node that is watched. */
interface NodeFiles {
  readonly realPath: (node: unknown) => string
  readonly stream_ops: { write: (stream: { readonly node: unknown }, ...rest: ReadonlyArray<unknown>) => number }
}

/** Where the write-ahead log is below the data. */
const logFolder = /[/\\]pg_wal[/\\]/

/**
 * The files of an engine, which end it where its log cannot be written. Postgres gives up its process then (PANIC). The engine, which
 * has none, would go on, and wait for ever for a lock that nobody gives back, with all of the thread.
 */
export class EngineFiles extends NodeFS {
  #failure: Error | undefined

  /** Whether the engine has ended: it must not be asked for anything, not even to close. */
  get hasEnded(): boolean {
    return this.#failure !== undefined
  }

  override async init(pg: PGlite, options: InitOptions): ReturnType<NodeFS["init"]> {
    const { emscriptenOpts } = await super.init(pg, options)
    const preRun = [...(emscriptenOpts.preRun ?? []), (engine: Engine) => this.#watch(engine)]
    return { emscriptenOpts: { ...emscriptenOpts, preRun } }
  }

  #watch(engine: Engine): void {
    const files = engine.FS.filesystems.NODEFS as NodeFiles
    const { write } = files.stream_ops
    files.stream_ops.write = (stream, ...rest) => {
      try {
        return write(stream, ...rest)
      } catch (cause) {
        if (!logFolder.test(files.realPath(stream.node))) throw cause
        throw this.#end(engine, cause)
      }
    }
  }

  /** PGlite takes no notice of what is thrown within a statement, and goes on: from here on each step of it fails. */
  #end(engine: Engine, cause: unknown): Error {
    const failure = new LogFailure("the write-ahead log could not be written", { cause })
    this.#failure = failure
    const fail = () => {
      throw failure
    }
    const nothing = () => undefined
    Object.assign(engine, {
      _PostgresMainLoopOnce: fail,
      _PostgresMainLongJmp: fail,
      _pgl_setPGliteExitStatus: fail,
      _PostgresSendReadyForQueryIfNecessary: nothing,
      _pgl_pq_flush: nothing
    })
    return failure
  }
}
