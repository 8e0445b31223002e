import type { Answer, AnswersOf } from "./ApiProfile.ts"
import type { QuestionId, ValueOf } from "./Question.ts"

/** Collects answers while a probe runs. A question that is answered is not answered again. */
export class Answers {
  readonly #answers = new Map<QuestionId, Answer>()
  readonly #secrets: ReadonlyArray<string>

  /** Words of an API that hold one of the secrets are no answers: it may quote the key it was sent. */
  constructor(secrets: ReadonlyArray<string> = []) {
    this.#secrets = secrets.filter((secret) => secret !== "")
  }

  /** What was seen as it happened. */
  see<Q extends QuestionId>(id: Q, value: ValueOf<Q>, evidence: string): void {
    this.#set(id, { value, evidence, confidence: "seen" })
  }

  /** What few samples make likely. */
  conclude<Q extends QuestionId>(id: Q, value: ValueOf<Q>, evidence: string): void {
    this.#set(id, { value, evidence, confidence: "likely" })
  }

  /** Says why questions stay open. */
  leaveOpen(why: string, ...ids: ReadonlyArray<QuestionId>): void {
    for (const id of ids) this.#set(id, { value: null, evidence: why, confidence: "open" })
  }

  /** Whether a question has an answer or the reason why not. */
  has(id: QuestionId): boolean {
    return this.#answers.has(id)
  }

  /** All answers so far. */
  toJSON(): AnswersOf {
    return Object.fromEntries(this.#answers) as AnswersOf
  }

  #set(id: QuestionId, answer: Answer): void {
    if (this.#answers.has(id)) return
    const value = this.#without(answer.value)
    const isQuoted = this.#holds(answer.evidence) || (value === undefined && answer.value !== undefined)
    this.#answers.set(
      id,
      isQuoted
        ? { value: null, evidence: "the API quotes the key it was sent", confidence: "open" }
        : { ...answer, value }
    )
  }

  #holds(text: string): boolean {
    return this.#secrets.some((secret) => text.includes(secret))
  }

  /** A value without the words that hold a secret; undefined where it is one. */
  #without(value: unknown): unknown {
    if (typeof value === "string") return this.#holds(value) ? undefined : value
    if (Array.isArray(value))
      return value.map((element) => this.#without(element)).filter((element) => element !== undefined)
    if (typeof value !== "object" || value === null) return value
    const kept = Object.entries(value).map(([name, inner]) => [name, this.#without(inner)] as const)
    return Object.fromEntries(kept.filter(([name, inner]) => inner !== undefined && !this.#holds(name)))
  }
}
