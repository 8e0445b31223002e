/** What asks an API the open questions of its contract, and the profile that comes of it. */

export type { ApiAnswer, ApiRequest } from "./probe/ApiAnswer.ts"
export {
  type Answer,
  type AnswerFields,
  type AnswersOf,
  ApiProfile,
  decodeProfile,
  profileVersion,
  valueOf
} from "./probe/ApiProfile.ts"
export type { Cassette, Exchange } from "./probe/Cassette.ts"
export { type ClientSettings, clientSettings } from "./probe/clientSettings.ts"
export { describeAnswer } from "./probe/describeAnswer.ts"
export type { ProbeClientOptions } from "./probe/ProbeClient.ts"
export {
  isUnfinished,
  type LogEntry,
  LogEntry as ProbeLogEntry,
  makeProbeLogMemory,
  ProbeLog,
  ProbeLogError
} from "./probe/ProbeLog.ts"
export { leastTokens, type ProbeOptions, probeDefaults } from "./probe/ProbeOptions.ts"
export { type Probed, type ProbeRequest, probeApi } from "./probe/probeApi.ts"
export {
  type ErrorShape,
  type MemberDrift,
  notAsked,
  type QuestionId,
  questionIds,
  questions,
  type ValueOf
} from "./probe/Question.ts"
export type { SanitizeRules } from "./probe/sanitizeJson.ts"
