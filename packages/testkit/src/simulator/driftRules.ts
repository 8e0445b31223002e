import { type ApiProfile, type MemberDrift, type QuestionId, valueOf } from "@sluice/core/probe"
import { isObject, type Json, type Members, mapResults } from "./bodies.ts"
import type { Misbehaviour } from "./Misbehaviours.ts"

/** What of a profile sets a simulator. */
export type ProfileAnswers = Pick<ApiProfile, "answers">
type Change = NonNullable<Misbehaviour["change"]>

const crawl = /^\/v1\/crawl$/
const extract = /^\/v1\/extract$/
const crawlList = /^\/v1\/crawl\/jobs$/
const crawlJob = /^\/v1\/crawl\/(?!jobs$)[^/]+$/
const batchJob = /^\/v1\/batch\/(?!jobs$)[^/]+$/
const extractJob = /^\/v1\/extract\/(?!jobs$)[^/]+$/
const map = /^\/v1\/map$/

/** What is changed in single answers, so that they differ from the contract as those of a probed API. */
export const rulesOf = (profile: ProfileAnswers): ReadonlyArray<Misbehaviour> => {
  const get = <Q extends QuestionId>(id: Q) => valueOf(profile, id)
  const rules: Array<Misbehaviour> = []
  const changing = (method: Misbehaviour["method"], path: RegExp, change: Change | undefined) => {
    if (change !== undefined) rules.push({ method, path, change })
  }
  const drifted = (drift: MemberDrift | undefined): Change | undefined =>
    drift === undefined ? undefined : (body) => (isObject(body) ? withDrift(body, drift) : body)
  const inResults = (drift: MemberDrift | undefined): Change | undefined =>
    drift === undefined ? undefined : mapResults((item) => withDrift(item, drift))

  changing("GET", crawlJob, inResults(get("crawl.result_members")))
  const defaults = get("crawl.defaults")
  changing("GET", crawlJob, defaults === undefined ? undefined : within("crawl_config", defaults))
  changing("GET", crawlJob, drifted(get("crawl.members")))
  changing("GET", batchJob, inResults(get("batch.result_members")))
  changing("GET", batchJob, drifted(get("batch.members")))
  changing("GET", extractJob, drifted(get("extract.job_members")))
  const page = drifted(get("extract.sync_members"))
  changing("POST", extract, page === undefined ? undefined : (body) => (isPage(body) ? page(body) : body))
  const tokens = get("extract.sync_tokens")
  changing(
    "POST",
    extract,
    tokens === undefined ? undefined : (body) => (isPage(body) ? { ...body, tokens_charged: tokens } : body)
  )
  changing("POST", crawl, get("crawl.estimated_pages") === "other" ? moreEstimated : undefined)
  changing("POST", crawl, drifted(get("crawl.accepted_members")))
  const word = get("cancel.answer")
  changing(
    "DELETE",
    crawlJob,
    word === undefined ? undefined : (body) => (isObject(body) ? { ...body, status: word } : body)
  )
  changing("DELETE", crawlJob, drifted(get("cancel.members")))
  const inJobs = get("lists.crawl_members")
  changing(
    "GET",
    crawlList,
    inJobs === undefined ? undefined : (body) => withJobs(body, (job) => withDrift(job, inJobs))
  )
  if (get("map.metadata") === false) {
    changing("POST", map, (body) =>
      isObject(body) ? withDrift(body, { absent: ["metadata"], extra: [], mistyped: {} }) : body
    )
  }
  if (get("statistics.offered") === true) {
    rules.push({ method: "GET", path: /^\/v1\/statistics$/, instead: { status: 200, body: { period_tokens_used: 0 } } })
  }
  const usage = get("usage.members")
  if (usage !== undefined) {
    const body = Object.fromEntries(usage.map((name) => [name, 0]))
    rules.push({ method: "GET", path: /^\/v1\/usage$/, instead: { status: 200, body } })
  }
  return rules
}

const withJobs = (body: Json, change: (job: Members) => Members): Json =>
  isObject(body) && Array.isArray(body.jobs)
    ? { ...body, jobs: body.jobs.map((job) => (isObject(job) ? change(job) : job)) }
    : body

const isPage = (body: Json): body is Members => isObject(body) && isObject(body.data)

const moreEstimated: Change = (body) =>
  isObject(body) && typeof body.estimated_pages === "number"
    ? { ...body, estimated_pages: body.estimated_pages + 1 }
    : body

const within =
  (member: string, members: Readonly<Record<string, Json>>): Change =>
  (body) =>
    isObject(body) && isObject(body[member]) ? { ...body, [member]: { ...body[member], ...members } } : body

/** An object that differs from the contract: members taken away, members nobody knows, values of another type. */
const withDrift = (object: Members, { absent, extra, mistyped }: MemberDrift): Members => {
  const changed = new Map(Object.entries(object))
  for (const name of extra) if (!name.includes(".")) changed.set(name, null)
  for (const name of absent) changed.delete(name)
  for (const [name, word] of Object.entries(mistyped)) {
    const value = changed.get(name)
    if (value !== undefined) changed.set(name, ofType(word, value))
  }
  for (const [name, inner] of changed) {
    if (!isObject(inner)) continue
    const under = <A>(names: ReadonlyArray<readonly [string, A]>) =>
      names.flatMap(([path, value]) =>
        path.startsWith(`${name}.`) ? [[path.slice(name.length + 1), value] as const] : []
      )
    const names = (paths: ReadonlyArray<string>) => under(paths.map((path) => [path, null])).map(([path]) => path)
    const drift = {
      absent: names(absent),
      extra: names(extra),
      mistyped: Object.fromEntries(under(Object.entries(mistyped)))
    }
    changed.set(name, withDrift(inner, drift))
  }
  return Object.fromEntries(changed)
}

/** A value of the type that a word names; one that cannot be made stays as it is. */
const ofType = (word: string, value: Json): Json => {
  switch (word) {
    case "null":
      return null
    case "text":
      return typeof value === "string" ? "no such value" : String(value)
    case "list":
      return [value]
    case "object":
      return { value }
    case "boolean":
      return true
    case "fraction":
      return typeof value === "number" ? value + 0.4 : 0.4
    case "number":
      return typeof value === "number" ? value : 7
    default:
      return value
  }
}
