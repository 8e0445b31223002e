import { Schema } from "effect"

/** One line of the usage log. Times are milliseconds since the epoch, hours are counted from there. */
export const UsageEvent = Schema.Union([
  /** A page that ended; of a job, the `n`th that did. */
  Schema.Struct({
    t: Schema.tag("page"),
    owner: Schema.String,
    job: Schema.NullOr(Schema.String),
    n: Schema.Int,
    at: Schema.Int,
    ok: Schema.Boolean,
    ms: Schema.Int
  }),
  /** A job of which no page will end any more. */
  Schema.Struct({ t: Schema.tag("closed"), job: Schema.String }),
  /** An hour of a key's, taken together. */
  Schema.Struct({
    t: Schema.tag("hour"),
    owner: Schema.String,
    hour: Schema.Int,
    ok: Schema.Int,
    failed: Schema.Int,
    ms: Schema.Int
  }),
  /** How many pages of an open job have been counted. */
  Schema.Struct({ t: Schema.tag("job"), job: Schema.String, n: Schema.Int }),
  /** The tokens of a key's hours that are no longer kept one by one. */
  Schema.Struct({ t: Schema.tag("earlier"), owner: Schema.String, tokens: Schema.Int })
])
export type UsageEvent = typeof UsageEvent.Type

/** What ended within some hours. A page that was extracted costs one token, any other none. */
export interface UsageSum {
  readonly ok: number
  readonly failed: number
  readonly ms: number
}

const hourMs = 3_600_000
const hourOf = (at: number) => Math.floor(at / hourMs)
const dayMs = 24 * hourMs

const plus = (a: UsageSum, b: UsageSum): UsageSum => ({ ok: a.ok + b.ok, failed: a.failed + b.failed, ms: a.ms + b.ms })
const nothing: UsageSum = { ok: 0, failed: 0, ms: 0 }

/**
 * What pages have ended, by key and hour. A page of a job is counted once however often it is told of: pages are numbered
 * in the order of their end, and a number that is not above the last one is passed over.
 */
export class UsageStats {
  private readonly hours = new Map<string, Map<number, UsageSum>>()
  private readonly earlier = new Map<string, number>()
  private readonly counted = new Map<string, number>()

  /** How many pages of an open job have been counted. */
  countedOf(job: string): number {
    return this.counted.get(job) ?? 0
  }

  add(event: UsageEvent): void {
    switch (event.t) {
      case "page":
        if (event.job !== null && event.n <= this.countedOf(event.job)) return
        if (event.job !== null) this.counted.set(event.job, event.n)
        this.addHour(event.owner, hourOf(event.at), { ok: event.ok ? 1 : 0, failed: event.ok ? 0 : 1, ms: event.ms })
        break
      case "closed":
        this.counted.delete(event.job)
        break
      case "hour":
        this.addHour(event.owner, event.hour, event)
        break
      case "job":
        this.counted.set(event.job, event.n)
        break
      case "earlier":
        this.earlier.set(event.owner, (this.earlier.get(event.owner) ?? 0) + event.tokens)
    }
  }

  /** The tokens a key has ever used. */
  tokensOf(owner: string): number {
    let tokens = this.earlier.get(owner) ?? 0
    for (const { ok } of this.hours.get(owner)?.values() ?? []) tokens += ok
    return tokens
  }

  /** What ended in the hours that `from` to `to` touches. */
  sum(owner: string, from: number, to: number): UsageSum {
    return this.inRange(owner, hourOf(from), hourOf(to)).reduce((sum, [, each]) => plus(sum, each), nothing)
  }

  /** What ended in the same number of hours before those. */
  sumBefore(owner: string, from: number, to: number): UsageSum {
    const [first, last] = [hourOf(from), hourOf(to)]
    return this.inRange(owner, first - (last - first + 1), first - 1).reduce(
      (sum, [, each]) => plus(sum, each),
      nothing
    )
  }

  /** The same by day, which begins at midnight UTC; days without an end are skipped. */
  days(owner: string, from: number, to: number): ReadonlyArray<readonly [midnight: number, sum: UsageSum]> {
    const days = new Map<number, UsageSum>()
    for (const [hour, sum] of this.inRange(owner, hourOf(from), hourOf(to))) {
      const midnight = Math.floor((hour * hourMs) / dayMs) * dayMs
      days.set(midnight, plus(days.get(midnight) ?? nothing, sum))
    }
    return [...days].sort(([a], [b]) => a - b)
  }

  /** The fewest events from which this stats can be made again; hours that ended before `keepFrom` lose their place in time. */
  compacted(keepFrom: number): ReadonlyArray<UsageEvent> {
    for (const [owner, hours] of this.hours) {
      for (const [hour, { ok }] of hours) {
        if ((hour + 1) * hourMs > keepFrom) continue
        hours.delete(hour)
        this.earlier.set(owner, (this.earlier.get(owner) ?? 0) + ok)
      }
    }
    return [
      ...Array.from(this.earlier, ([owner, tokens]): UsageEvent => ({ t: "earlier", owner, tokens })),
      ...Array.from(this.hours).flatMap(([owner, hours]) =>
        Array.from(hours, ([hour, sum]): UsageEvent => ({ t: "hour", owner, hour, ...sum }))
      ),
      ...Array.from(this.counted, ([job, n]): UsageEvent => ({ t: "job", job, n }))
    ]
  }

  private inRange(owner: string, first: number, last: number): ReadonlyArray<readonly [hour: number, sum: UsageSum]> {
    return [...(this.hours.get(owner) ?? [])].filter(([hour]) => hour >= first && hour <= last)
  }

  private addHour(owner: string, hour: number, { failed, ms, ok }: UsageSum): void {
    const hours = this.hours.get(owner) ?? new Map<number, UsageSum>()
    this.hours.set(owner, hours)
    hours.set(hour, plus(hours.get(hour) ?? nothing, { ok, failed, ms }))
  }
}
