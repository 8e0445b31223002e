import { type ApiProfile, describeAnswer, notAsked, type Probed, questionIds, questions } from "@sluice/core/probe"
import { describeTable } from "./table.ts"

/** The report of a probe for people: what was asked, answered and why, how sure that is, and what stays open. */
export const describeProbe = (
  { notes, profile }: Probed,
  files: { readonly profile: string; readonly cassette: string }
): string =>
  [
    describeTable(rowsOf(profile)),
    "",
    describeTable(notAsked.map(({ asks, section, why }) => ({ section, "not asked": asks, why }))),
    "",
    ...notes.map((note) => `note      ${note}`),
    `api       ${profile.api}`,
    `tokens    ${profile.tokens_charged} charged, as far as the API says`,
    `profile   ${files.profile}`,
    `cassette  ${files.cassette}`
  ].join("\n")

const rowsOf = ({ answers }: ApiProfile) =>
  questionIds.flatMap((id) => {
    const answer = answers[id]
    if (answer === undefined) return []
    const { confidence, evidence, value } = answer
    return [
      {
        section: questions[id].section,
        question: questions[id].asks,
        answer: describeAnswer(value),
        confidence,
        evidence
      }
    ]
  })
