import { type ApiProfile, valueOf } from "./ApiProfile.ts"

/** What the client is set to by a profile. */
export interface ClientSettings {
  /** How the key has to be sent, where one way alone is accepted. */
  readonly auth?: "x-api-key" | "bearer"
  /** How a submission is looked for whose answer was lost. */
  readonly adoption: {
    /** Milliseconds that a job list may miss a new job, and reads of it. */
    readonly lag: number
    readonly looks: number
    /** Why the list is not believed where it shows no job; absent where nothing is known against it. */
    readonly doubt?: string
  }
}

/** The least of {@link ClientSettings}, whatever the profile says: a lag was seen once. */
const leastLag = 30_000
const leastLooks = 4
/** How many times the lag that was seen a list is given. */
const patience = 3

/** The settings of the client that follow from a profile. */
export const clientSettings = (profile: Pick<ApiProfile, "answers">): ClientSettings => {
  const accepted = valueOf(profile, "auth.accepted") ?? []
  const [only] = accepted.length === 1 ? accepted : []
  const doubts: ReadonlyArray<readonly [boolean, string]> = [
    [valueOf(profile, "lists.shows_jobs") === false, "it shows no new jobs"],
    [valueOf(profile, "lists.page") === "ignored", "it ignores page"],
    [valueOf(profile, "lists.page_count") === "too small", "its page_count is too small"],
    [valueOf(profile, "lists.dates") === "ignored", "it ignores start_date"]
  ]
  const seen = doubts.flatMap(([so, why]) => (so ? [why] : []))
  return {
    ...(only === "x-api-key" || only === "bearer" ? { auth: only } : {}),
    adoption: {
      lag: Math.max(leastLag, patience * (valueOf(profile, "lists.lag_ms") ?? 0)),
      looks: Math.max(leastLooks, 2 + (valueOf(profile, "lists.lag_reads") ?? 0)),
      ...(seen.length === 0 ? {} : { doubt: `a probe has seen that ${seen.join(" and ")}` })
    }
  }
}
