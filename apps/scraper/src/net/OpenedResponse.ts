import type { Readable } from "node:stream"

/** An answer whose body is still to be read. */
export interface OpenedResponse {
  readonly status: number
  readonly lines: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: Readable
}
