/** What is written for a run in a vault or a spool, in the order in which it first is. */
export const keptObjects = ["run note", "epoch note", "answers", "segment note", "end note", "receipt note"] as const
export type KeptObject = (typeof keptObjects)[number]

/** What is written for a run in a lake. */
export const lakeObjects = [
  "claim",
  "part",
  "staged segment",
  "segment note",
  "gathered note",
  "manifest",
  "pointer"
] as const
export type LakeObject = (typeof lakeObjects)[number]

/** The sinks of a run: rows of a database, and objects in a bucket or a directory. */
export const sinkNames = ["postgres", "lake"] as const
export type SinkName = (typeof sinkNames)[number]

type When = "before" | "after"
type Deed =
  | `${"write" | "removal"} of kept ${KeptObject}`
  | `write of lake ${LakeObject}`
  | "removal of lake staged segment"
  | `${"commit" | "publish"} of ${SinkName}`
  | "restore"
  | "end"

/** A named instant a process can be killed or stopped at. */
export type FanoutPoint = `${When} ${Deed}`

/** How what is read of the API is kept: for good in a directory or a bucket, or until every sink has it. */
export const keepings = ["vault", "s3 vault", "spool"] as const
export type Keeping = (typeof keepings)[number]

const around = (deeds: ReadonlyArray<Deed>): ReadonlyArray<FanoutPoint> =>
  deeds.flatMap((deed): ReadonlyArray<FanoutPoint> => [`before ${deed}`, `after ${deed}`])

const keptFor: Record<"good" | "a while", ReadonlyArray<Deed>> = {
  good: keptObjects.map((what): Deed => `write of kept ${what}`),
  // A spool keeps no receipt: nobody replays it.
  "a while": keptObjects
    .filter((what) => what !== "receipt note")
    .flatMap((what): ReadonlyArray<Deed> => [`write of kept ${what}`, `removal of kept ${what}`])
}

const landing: ReadonlyArray<Deed> = [
  ...lakeObjects.map((what): Deed => `write of lake ${what}`),
  "removal of lake staged segment",
  ...sinkNames.flatMap((name): ReadonlyArray<Deed> => [`commit of ${name}`, `publish of ${name}`]),
  "end"
]

/** The instants of a run that is kept so. */
export const pointsOfRun = (keeping: Keeping): ReadonlyArray<FanoutPoint> =>
  around([...keptFor[keeping === "spool" ? "a while" : "good"], ...landing])

const isOfTheClose = (point: FanoutPoint): boolean =>
  point === "after end" || /removal of kept (run|epoch|end) note/.test(point)

/** The instants of a run at which it can still be lost to another process. */
export const pointsOfZombie = (keeping: Keeping): ReadonlyArray<FanoutPoint> =>
  pointsOfRun(keeping).filter((point) => !isOfTheClose(point))

/** The instants of a replay, which writes nothing to its vault. */
export const pointsOfReplay: ReadonlyArray<FanoutPoint> = around(["restore", ...landing])

const once: ReadonlyArray<string> = [
  "run note",
  "epoch note",
  "end note",
  "receipt note",
  "claim",
  "gathered note",
  "manifest",
  "pointer",
  "publish of postgres",
  "publish of lake",
  "restore",
  "end"
]

/** Whether one attempt meets an instant again and again. */
export const isRecurring = (point: FanoutPoint): boolean => !once.some((deed) => point.endsWith(` ${deed}`))
