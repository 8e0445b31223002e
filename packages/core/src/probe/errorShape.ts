import { isMembers } from "../api/answerFrame.ts"
import type { ApiAnswer } from "./ApiAnswer.ts"
import type { ErrorShape } from "./Question.ts"

/** Which of the error bodies of the contract an answer carries. */
export const errorShape = ({ body, kind, status }: Pick<ApiAnswer, "body" | "kind" | "status">): ErrorShape => {
  if (kind !== "json") return { status, body: kind }
  if (!isMembers(body)) return { status, body: "json" }
  if (Array.isArray(body.detail)) return { status, body: "validation" }
  if (typeof body.code === "string" && typeof body.message === "string") return { status, body: "envelope" }
  if (typeof body.error === "string" && typeof body.message === "string") return { status, body: "search" }
  return { status, body: "json" }
}

/** An answer in a few words, for evidence. */
export const inShort = ({ body, status }: ErrorShape): string => `${status}, ${body === "empty" ? "no body" : body}`
