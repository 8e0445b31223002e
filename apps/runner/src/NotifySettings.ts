import { Schema } from "effect"
import { TimeSpan } from "./TimeSpan.ts"

/** What can be told of the end of a run, of its status. */
export const troubles = ["failed", "incomplete", "halted", "stopped_budget"] as const
/** Every event a notice may have. */
export const noticeEvents = [...troubles, "recovered", "quarantine", "slow"] as const
export type NoticeEvent = (typeof noticeEvents)[number]

/** Entries of `notify` a file may have. */
const mostTargets = 20

/** An address of a receiver is a secret: who knows it can write there. */
const ReceiverUrl = Schema.String.check(
  Schema.makeFilter((text: string) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
    expected: "an absolute http or https URL"
  })
)

const Webhook = Schema.Struct({
  url: Schema.RedactedFromValue(ReceiverUrl, { label: "receiver" }).annotate({
    description: "Where notices are posted as JSON. Redirects are not followed."
  }),
  secret: Schema.optionalKey(
    Schema.RedactedFromValue(Schema.NonEmptyString, { label: "secret" }).annotate({
      description:
        "Signs each notice as Standard Webhooks say: HMAC-SHA256 over ID, timestamp and body. Base64 behind whsec_, or any text. Absent: not signed."
    })
  )
})

const Slack = Schema.Struct({
  url: Schema.RedactedFromValue(ReceiverUrl, { label: "receiver" }).annotate({
    description: "An incoming webhook of Slack, or of what takes the same format."
  })
})

/** Whom to tell, and of what. */
const NotifyTarget = Schema.Struct({
  name: Schema.optionalKey(
    Schema.NonEmptyString.check(Schema.isMaxLength(63)).annotate({
      description: "Names the entry in the ledger; webhook, slack or command when absent. No two are alike."
    })
  ),
  on: Schema.optionalKey(
    Schema.Array(Schema.Literals([...troubles, "recovered"])).annotate({
      description:
        "How a run ends that is told of; recovered is the first completed one after another end. All of them when absent."
    })
  ),
  quarantine_share: Schema.optionalKey(
    Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })).annotate({
      description: "Tells of a run of whose records more than this share became dead letters in a sink, from 0 to 1."
    })
  ),
  longer_than: Schema.optionalKey(
    TimeSpan.annotate({ description: "Tells of a run that took longer than this time." })
  ),
  webhook: Schema.optionalKey(Webhook),
  slack: Schema.optionalKey(Slack),
  command: Schema.optionalKey(
    Schema.Array(Schema.String).check(Schema.isMinLength(1)).annotate({
      description:
        "A program and its arguments. It is given the notice as JSON on standard input; exit code 0 is delivered."
    })
  )
})
  .check(
    Schema.makeFilter(
      ({ command, slack, webhook }) => [command, slack, webhook].filter((way) => way !== undefined).length === 1,
      { expected: "exactly one of webhook, slack, command" }
    )
  )
  .annotate({ identifier: "NotifyTarget", description: "Whom to tell how a run ended, and of what." })
export type NotifyTarget = typeof NotifyTarget.Type

/** The name of an entry. */
export const nameOf = ({ name, slack, webhook }: NotifyTarget): string =>
  name ?? (webhook !== undefined ? "webhook" : slack !== undefined ? "slack" : "command")

/** Whom a pipeline tells how its runs end. */
export const NotifySettings = Schema.Array(NotifyTarget)
  .check(Schema.isMaxLength(mostTargets))
  .check(
    Schema.makeFilter((targets) => new Set(targets.map(nameOf)).size === targets.length, {
      expected: "entries of different names: give those of one kind a name each"
    })
  )
  .annotate({ description: "Whom to tell how runs end: each is told at least once, from the ledger." })
export type NotifySettings = typeof NotifySettings.Type
