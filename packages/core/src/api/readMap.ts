import { Effect, type Schema } from "effect"
import { urlIn } from "../record/lenientReader.ts"
import { looseBoolean, looseText, unreadable } from "../record/looseValues.ts"
import { membersOf, misfit } from "./answerFrame.ts"
import type { Unreadable } from "./ScraperError.ts"

/** What a map was answered with: its links as they came, and what the API has to say of it. */
export interface MapAnswer {
  readonly success: boolean
  readonly links: ReadonlyArray<string>
  readonly warning: string | null
  readonly raw: Schema.Json
}

/** A map's answer. A link that names no URL is skipped. */
export const mapAnswer = (raw: unknown): Effect.Effect<MapAnswer, Unreadable> =>
  Effect.flatMap(membersOf(raw), ({ error, links, message, success, warning }) => {
    const isList = Array.isArray(links)
    if (!isList && ((links !== undefined && links !== null) || success === undefined)) return misfit('["links"]')
    return Effect.succeed({
      success: looseBoolean(success) !== false,
      links: isList ? links.flatMap((link) => (typeof link === "string" ? link : (urlIn(link) ?? []))) : [],
      warning: firstText([warning, message, error]),
      raw: raw as Schema.Json
    })
  })

const firstText = (values: ReadonlyArray<unknown>): string | null => {
  const texts = values.map(looseText)
  return texts.find((text): text is string => text !== null && text !== unreadable && text.trim() !== "") ?? null
}
