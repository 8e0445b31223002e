import { Schema } from "effect"
import type { ApiAnswer, ApiRequest } from "./ApiAnswer.ts"
import { type SanitizeRules, sanitizeJson } from "./sanitizeJson.ts"

/** One request of a probe and what came back, without key, page bodies and addresses of others. */
export const Exchange = Schema.Struct({
  step: Schema.String,
  /** Milliseconds since the probe began. */
  at: Schema.Int,
  took_ms: Schema.Int,
  method: Schema.String,
  path: Schema.String,
  query: Schema.Record(Schema.String, Schema.Json),
  body: Schema.Json,
  /** Null where no answer came; `failure` says why. */
  answer: Schema.NullOr(
    Schema.Struct({
      status: Schema.Int,
      headers: Schema.Record(Schema.String, Schema.String),
      kind: Schema.String,
      body: Schema.Json
    })
  ),
  failure: Schema.NullOr(Schema.String)
})
export type Exchange = typeof Exchange.Type

/** Exchanges of one step that are kept; polls are many and much alike. */
const mostPerStep = 60
/** Exchanges with a larger answer are kept without its body, in characters of JSON. */
const largestBody = 8 * 1024
/** Headers that say something about the API and nothing about the account. */
const keptHeaders = /^(?:content-type|date|retry-after|(?:x-)?ratelimit(?:-[a-z-]+)?)$/
const plainValue = /^[\w ,;:=./+-]{1,100}$/

/** The recording of a probe. */
export class Cassette {
  readonly #exchanges: Array<Exchange> = []
  readonly #counts = new Map<string, number>()
  readonly #aliases = new Map<string, string>()
  readonly #secrets: ReadonlyArray<string>
  readonly #counters = { url: 0, job: 0 }

  constructor(secrets: ReadonlyArray<string>, target: string) {
    this.#secrets = secrets
    this.#aliases.set(`url ${target}`, "<url of the target>")
  }

  /** How answers are cleaned, also those that the log keeps. */
  get rules(): SanitizeRules {
    return { secrets: this.#secrets, alias: this.#alias }
  }

  /** How many exchanges the recording does not keep. */
  get dropped(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + Math.max(0, count - mostPerStep), 0)
  }

  /** Records an exchange. */
  record(
    step: string,
    request: ApiRequest,
    at: number,
    tookMs: number,
    answer: ApiAnswer | undefined,
    failure: string | null
  ): void {
    const count = (this.#counts.get(step) ?? 0) + 1
    this.#counts.set(step, count)
    if (count > mostPerStep) return
    this.#exchanges.push({
      step,
      at: Math.round(at),
      took_ms: Math.round(tookMs),
      method: request.method,
      path: request.path.replace(/[^/]{16,}/g, (id) => this.#alias("job", decodeURIComponent(id))),
      query: Object.fromEntries(
        Object.entries(request.query ?? {}).map(([name, value]) => [
          name,
          name === "url" || name === "job_id" ? "<text>" : value
        ])
      ),
      body: sanitizeJson(request.body ?? null, this.rules),
      answer:
        answer === undefined
          ? null
          : {
              status: answer.status,
              headers: this.#headersOf(answer.headers),
              kind: answer.kind,
              body: bounded(sanitizeJson(answer.body ?? null, this.rules))
            },
      failure
    })
  }

  toJSON(): { readonly dropped: number; readonly exchanges: ReadonlyArray<Exchange> } {
    return { dropped: this.dropped, exchanges: this.#exchanges }
  }

  #headersOf(headers: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
    const kept = Object.entries(headers).filter(
      (entry): entry is [string, string] =>
        keptHeaders.test(entry[0]) &&
        entry[1] !== undefined &&
        plainValue.test(entry[1]) &&
        !this.#secrets.some((secret) => secret !== "" && entry[1]?.includes(secret))
    )
    return Object.fromEntries(kept)
  }

  readonly #alias = (kind: "url" | "job", text: string): string => {
    const name = `${kind} ${text}`
    const known = this.#aliases.get(name)
    if (known !== undefined) return known
    const made = `<${kind} ${++this.#counters[kind]}>`
    this.#aliases.set(name, made)
    return made
  }
}

const bounded = (body: Schema.Json): Schema.Json => {
  const size = JSON.stringify(body).length
  return size > largestBody ? `<${size} characters of JSON>` : body
}
