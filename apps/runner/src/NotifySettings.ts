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
  url: Schema.RedactedFromValue(ReceiverUrl, { label: "receiver" }),
  secret: Schema.optionalKey(Schema.RedactedFromValue(Schema.NonEmptyString, { label: "secret" }))
})

const Slack = Schema.Struct({
  url: Schema.RedactedFromValue(ReceiverUrl, { label: "receiver" })
})

/** Whom to tell, and of what. */
const NotifyTarget = Schema.Struct({
  name: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(63))),
  on: Schema.optionalKey(Schema.Array(Schema.Literals([...troubles, "recovered"]))),
  quarantine_share: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
  longer_than: Schema.optionalKey(TimeSpan),
  webhook: Schema.optionalKey(Webhook),
  slack: Schema.optionalKey(Slack),
  command: Schema.optionalKey(Schema.Array(Schema.String).check(Schema.isMinLength(1)))
})
  .check(
    Schema.makeFilter(
      ({ command, slack, webhook }) => [command, slack, webhook].filter((way) => way !== undefined).length === 1,
      { expected: "exactly one of webhook, slack, command" }
    )
  )
  .annotate({ identifier: "NotifyTarget" })
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

export type NotifySettings = typeof NotifySettings.Type
