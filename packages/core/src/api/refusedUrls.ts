import { urlIn } from "../record/lenientReader.ts"
import { isMembers, type Members } from "./answerFrame.ts"

/** A URL the API has not taken on, with its reason where it gives one. */
export interface RefusedUrl {
  readonly url: string
  readonly code: string | null
  readonly message: string | null
}

/** The URLs a batch refused: texts, or objects that name one. What names none is skipped. */
export const refusedUrls = (raw: unknown): ReadonlyArray<RefusedUrl> => {
  const list = Array.isArray(raw) ? raw : raw === undefined || raw === null ? [] : [raw]
  return list.flatMap((element): ReadonlyArray<RefusedUrl> => {
    const url = typeof element === "string" ? element : urlIn(element)
    if (url === undefined) return []
    const said = isMembers(element) ? element : {}
    return [{ url, code: firstText(said, codeMembers), message: firstText(said, messageMembers) }]
  })
}

const codeMembers = ["error_code", "code", "type"] as const
const messageMembers = ["error_message", "message", "msg", "reason", "detail", "error"] as const

const firstText = (said: Members, names: ReadonlyArray<string>): string | null => {
  const name = names.find((member) => typeof said[member] === "string")
  return name === undefined ? null : String(said[name])
}
