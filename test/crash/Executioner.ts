import { writeSync } from "node:fs"
import { Effect } from "effect"

/** What a process says before it stops itself: whoever waits for it to stand still waits for this. */
export const lastWords = "stands still"

/** Kills this process, as a power cut would, or stops it, when a point is met for the nth time. */
export class Executioner<Point extends string> {
  readonly #point: Point | undefined
  readonly #nth: number
  readonly #signal: "SIGKILL" | "SIGSTOP"
  #met = 0

  constructor(point: Point | undefined, nth: number, signal: "SIGKILL" | "SIGSTOP" = "SIGKILL") {
    this.#point = point
    this.#nth = nth
    this.#signal = signal
  }

  readonly at = (point: Point): Effect.Effect<void> =>
    Effect.sync(() => {
      if (point !== this.#point || ++this.#met !== this.#nth) return
      // At once: what is said by way of a stream may never leave a process that is stopped.
      if (this.#signal === "SIGSTOP") writeSync(1, `${lastWords}\n`)
      process.kill(process.pid, this.#signal)
    })

  /** Work with a point before it and one after it. */
  readonly around = <A, E, R>(before: Point, work: Effect.Effect<A, E, R>, after: Point): Effect.Effect<A, E, R> =>
    Effect.andThen(this.at(before), work).pipe(Effect.tap(this.at(after)))
}
