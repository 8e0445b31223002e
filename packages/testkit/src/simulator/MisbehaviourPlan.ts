import { Headers, HttpServerResponse } from "effect/http"
import type { Json } from "./bodies.ts"
import { type Misbehaviour, type MisbehaviourName, misbehaviours } from "./Misbehaviours.ts"

/** The misbehaviours of a simulator, and how often each came up. */
export class MisbehaviourPlan {
  readonly #rules: ReadonlyArray<{ readonly name: MisbehaviourName; readonly rule: Misbehaviour }>
  readonly #met = new Map<MisbehaviourName, number>()

  constructor(names: ReadonlyArray<MisbehaviourName> = []) {
    this.#rules = names.map((name) => ({ name, rule: misbehaviours[name] }))
  }

  /** @internal Counts a request, and answers what is done to it. */
  take(method: string, path: string): ReadonlyArray<{ readonly name: MisbehaviourName; readonly rule: Misbehaviour }> {
    return this.#rules.filter(({ name, rule }) => {
      if (rule.method !== method || !rule.path.test(path)) return false
      const nth = (this.#met.get(name) ?? 0) + 1
      this.#met.set(name, nth)
      return rule.nth === undefined || rule.nth.includes(nth)
    })
  }
}

/** The answer as a misbehaving API sends it; one that is an error, or no JSON, is left as it is. */
export const misbehaved = (
  answer: HttpServerResponse.HttpServerResponse,
  rules: ReadonlyArray<Misbehaviour>
): HttpServerResponse.HttpServerResponse => {
  if (answer.status >= 300 || answer.body._tag !== "Uint8Array") return answer
  let body: Json = JSON.parse(Buffer.from(answer.body.body).toString())
  let { status } = answer
  for (const rule of rules) {
    if (rule.change === undefined) continue
    body = rule.change(body)
    status = rule.status ?? status
  }
  return HttpServerResponse.jsonUnsafe(body, { status, headers: Headers.remove(answer.headers, "content-length") })
}
