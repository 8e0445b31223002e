import type { Schema } from "effect"

/** A request of a probe. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "DELETE"
  readonly path: string
  readonly query?: Readonly<Record<string, string | number>>
  readonly body?: Readonly<Record<string, Schema.Json>>
  /** How the key is sent, if not as usual; `wrong` sends another one. */
  readonly auth?: "x-api-key" | "bearer" | "wrong"
}

/** An answer as it came, whatever its status. */
export interface ApiAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly kind: "json" | "html" | "empty" | "text"
  /** The JSON of the body. */
  readonly body: unknown
  /** When it came, in epoch milliseconds. */
  readonly at: number
}
