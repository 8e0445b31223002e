import { Schema } from "effect"
import { type QuestionId, questionIds, questions, type ValueOf } from "./Question.ts"

/** How sure an answer is: seen as it happened, concluded from few samples, or open. */
const Confidence = Schema.Literals(["seen", "likely", "open"])

/** The answer to one question: null where it stays open, for the reason the evidence gives. */
const answerOf = <S extends Schema.Top>(value: S) =>
  Schema.Struct({ value: Schema.NullOr(value), evidence: Schema.String, confidence: Confidence })

/** An answer, whatever the question. */
export interface Answer<Value = unknown> {
  readonly value: Value | null
  readonly evidence: string
  readonly confidence: typeof Confidence.Type
}

/** The answers of a probe. A question that was not asked has none. */
export type AnswersOf = { readonly [Q in QuestionId]?: Answer<ValueOf<Q>> }

/** The schema fields of the answers, by question. */
export type AnswerFields = {
  readonly [Q in QuestionId]: Schema.optionalKey<ReturnType<typeof answerOf<(typeof questions)[Q]["value"]>>>
}

const answerFields = Object.fromEntries(
  questionIds.map((id) => [id, Schema.optionalKey(answerOf<Schema.Top>(questions[id].value))])
) as AnswerFields

/** The version of the format of profiles. A reader refuses any other. */
export const profileVersion = 1

/**
 * What a probe has found out about an API: what the client (`api.profile` in a pipeline file) and the simulator of the testkit are
 * set from. It holds no key, no page and no address but the API's.
 */
export const ApiProfile = Schema.Struct({
  sluice_profile: Schema.Literal(profileVersion),
  /** Scheme, host and port of the API. */
  api: Schema.String,
  probed_at: Schema.String,
  tokens_charged: Schema.Int,
  answers: Schema.Struct(answerFields)
}).annotate({ identifier: "ApiProfile", description: "What `sluice probe` has found out about a Scraper API." })
export type ApiProfile = typeof ApiProfile.Type

const ProfileText = Schema.fromJsonString(ApiProfile)

/** Reads a profile from the text of its file. */
export const decodeProfile = Schema.decodeUnknownEffect(ProfileText)

/** The value of an answer; undefined where it is open or was not asked. */
export const valueOf = <Q extends QuestionId>(profile: Pick<ApiProfile, "answers">, id: Q): ValueOf<Q> | undefined =>
  (profile.answers as AnswersOf)[id]?.value ?? undefined
