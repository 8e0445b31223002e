import { writeSync } from "node:fs"
import { Effect } from "effect"

/** What a process says before it stops itself: whoever waits for it to stand still waits for this. */
export const lastWords = "stands still"

/** What a process says before it kills itself, followed by the point it has met. */
export const killedAt = "killed "

/** Kills this process, as a power cut would, or stops it, when a point is met for the nth time. */
export class Executioner<Point extends string> {
  readonly #point: Point | undefined
  readonly #nth: number
  readonly #signal: "SIGKILL" | "SIGSTOP"
  /** How often each point was met. */
  readonly met = new Map<Point, number>()

  constructor(point: Point | undefined, nth: number, signal: "SIGKILL" | "SIGSTOP" = "SIGKILL") {
    this.#point = point
    this.#nth = nth
    this.#signal = signal
  }

  /** Ends the process here. */
  readonly at = (point: Point): Effect.Effect<void> =>
    Effect.sync(() => {
      if (this.#isMet(point)) this.#end()
    })

  /** Ends the process as soon as what follows waits for somebody else: a request has been sent, and its answer was not read. */
  readonly soon = (point: Point): Effect.Effect<void> =>
    Effect.sync(() => {
      if (this.#isMet(point)) setImmediate(this.#end)
    })

  /** Work with a point before it and one after it. */
  readonly around = <A, E, R>(before: Point, work: Effect.Effect<A, E, R>, after: Point): Effect.Effect<A, E, R> =>
    Effect.andThen(this.at(before), work).pipe(Effect.tap(this.at(after)))

  #isMet(point: Point): boolean {
    const times = (this.met.get(point) ?? 0) + 1
    this.met.set(point, times)
    return point === this.#point && times === this.#nth
  }

  readonly #end = (): void => {
    // At once: what is said by way of a stream may never leave the process.
    writeSync(1, `${this.#signal === "SIGSTOP" ? lastWords : `${killedAt}${this.#point}, time ${this.#nth}`}\n`)
    process.kill(process.pid, this.#signal)
  }
}
