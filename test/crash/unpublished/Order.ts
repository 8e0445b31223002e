import { Source } from "@sluice/core"
import { Schema } from "effect"

/** The instants a process can be killed at as it ends a run unpublished, in the order it meets them. */
export const pointsOfEnding = ["before preview", "after preview", "before end", "after end"] as const
/** And as it publishes such a run. */
const pointsOfPublish = [
  "before admission",
  "after admission",
  "before publish",
  "in publish, before pointer",
  "in publish, after pointer",
  "after publish",
  "before record",
  "after record"
] as const
export const unpublishedPoints = [...pointsOfEnding, ...pointsOfPublish] as const
export type UnpublishedPoint = (typeof unpublishedPoints)[number]

/** Where a run is loaded and its ledger kept: a server, an embedded database, or a lake of files beside a ledger in a server. */
export const Place = Schema.Union([
  Schema.Struct({ url: Schema.String }),
  Schema.Struct({ directory: Schema.String }),
  Schema.Struct({ lake: Schema.String, ledger: Schema.String })
])
export type Place = typeof Place.Type

/** What a process is told to do, and where it is to die. */
export const Order = Schema.Struct({
  pipeline: Schema.String,
  source: Schema.toEncoded(Source),
  place: Place,
  /** The run to publish; absent where one is to be carried out, */
  publish: Schema.optionalKey(Schema.String),
  /** of this API. */
  api: Schema.optionalKey(Schema.Struct({ url: Schema.String, key: Schema.String })),
  point: Schema.optionalKey(Schema.Literals(unpublishedPoints))
})
export type Order = typeof Order.Type
