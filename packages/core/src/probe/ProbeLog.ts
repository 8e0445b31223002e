import { Context, Effect, Schema } from "effect"

/** The steps of a probe that submit something. Each is submitted at most once. */
export const steps = [
  "refused request",
  "extraction at once",
  "extraction as a job",
  "batch",
  "map",
  "cancelled crawl",
  "crawl"
] as const
export type Step = (typeof steps)[number]

const StepName = Schema.Literals(steps)

/** What a probe has to remember before it goes on: an intent before its request leaves, and what became of it. */
export const LogEntry = Schema.Union([
  Schema.Struct({
    entry: Schema.Literal("begun"),
    at: Schema.Finite,
    api: Schema.String,
    target: Schema.String,
    tokens: Schema.Int
  }),
  Schema.Struct({ entry: Schema.Literal("intent"), step: StepName, at: Schema.Finite, allotted: Schema.Int }),
  /** It took no effect: the API refused it for now, or it never got there. */
  Schema.Struct({ entry: Schema.Literal("refused"), step: StepName, why: Schema.String }),
  /** It was answered. The answer is kept without texts of others, and read from here when the probe is resumed. */
  Schema.Struct({
    entry: Schema.Literal("answered"),
    step: StepName,
    status: Schema.Int,
    kind: Schema.Literals(["json", "html", "empty", "text"]),
    body: Schema.Json,
    job: Schema.NullOr(Schema.String),
    /** Whether the job was found in the list of jobs, its answer being lost. */
    adopted: Schema.Boolean
  }),
  /** Its answer was lost, and no one job could be found that it became. It counts as paid and is not sent again. */
  Schema.Struct({ entry: Schema.Literal("lost"), step: StepName, why: Schema.String }),
  Schema.Struct({ entry: Schema.Literal("ended"), step: StepName, tokens: Schema.Int }),
  Schema.Struct({ entry: Schema.Literal("finished"), at: Schema.Finite })
])
export type LogEntry = typeof LogEntry.Type

/** The log could not be written to or read. Nothing is submitted that cannot be remembered. */
export class ProbeLogError extends Schema.TaggedError<ProbeLogError>()("ProbeLogError", { detail: Schema.String }) {
  override get message(): string {
    return this.detail
  }
}

/** Where a probe remembers its submissions, durable before they are made. */
export class ProbeLog extends Context.Service<
  ProbeLog,
  {
    /** What the latest probe has written, oldest first. */
    readonly entries: ReadonlyArray<LogEntry>
    /** Appends an entry; it is durable when this succeeds. */
    readonly append: (entry: LogEntry) => Effect.Effect<void, ProbeLogError>
    /** Empties the log: a new probe begins. */
    readonly clear: Effect.Effect<void, ProbeLogError>
  }
>()("@sluice/core/ProbeLog") {}

/** Whether a log is of a probe that did not end. */
export const isUnfinished = (entries: ReadonlyArray<LogEntry>): boolean =>
  entries.length > 0 && !entries.some(({ entry }) => entry === "finished")

/** A log in memory, for a probe that need not be resumed by another process. */
export const makeProbeLogMemory = (entries: ReadonlyArray<LogEntry> = []): ProbeLog["Service"] => {
  const written = [...entries]
  return ProbeLog.of({
    entries: written,
    append: (entry) => Effect.sync(() => void written.push(entry)),
    clear: Effect.sync(() => void written.splice(0))
  })
}
