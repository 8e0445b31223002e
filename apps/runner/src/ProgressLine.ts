import { styleText } from "node:util"
import type { Progress } from "@sluice/core"
import { Clock, Console, Effect, type Scope } from "effect"
import { Environment } from "./Environment.ts"
import { type ComingBounds, ProgressPace } from "./ProgressPace.ts"
import { fitted, fittedProgress, progressText } from "./progressText.ts"

/** Pauses between two lines: a terminal's is redrawn, others are added. */
const redrawMs = 100
const lineMs = 5_000
/** Who waits without a terminal is told what for after this time. */
const silence = "1 second"

/**
 * The cursor waits where the line begins. A terminal that was made narrower may have wrapped the line, and shows its rest below the
 * cursor; one that does not wrap has nothing there.
 */
const erase = "\r\u001b[J"

/** What is wrong is shown in a colour. */
const trouble = /\(\d+ failed\)|\d+ behind/g

/** Says how a run goes, on standard error: one line redrawn on a terminal, a plain line every few seconds elsewhere. */
export interface ProgressLine {
  readonly show: (progress: Progress) => Effect.Effect<void>
  /** Leaves the terminal as it was found. */
  readonly clear: Effect.Effect<void>
  /** The console for what is told meanwhile: the line makes room for it, and is drawn again below it. */
  readonly console: Console.Console
}

/** How a progress line begins. */
export interface ProgressLineOptions {
  /** What is waited for before the first progress. */
  readonly waitingFor: string
  readonly bounds?: ComingBounds
}

/** A progress line for this process, until the scope ends. */
export const makeProgressLine = Effect.fnUntraced(function* ({
  bounds,
  waitingFor
}: ProgressLineOptions): Effect.fn.Return<ProgressLine, never, Scope.Scope> {
  const { columns, isTerminal, onResize, variables, writeError } = yield* Environment
  const console = yield* Console.Console
  const pace = new ProgressPace(bounds)
  if (!isTerminal) return yield* plainLines(pace, waitingFor, writeError, console)
  const hasColours = (variables.NO_COLOR ?? "") === "" && variables.TERM !== "dumb"
  /** Draws what is on the terminal, for any number of columns. */
  let shown: ((columns: number) => string) | undefined
  let shownAt = 0
  const redraw = (draw: (columns: number) => string) => {
    const text = draw(columns())
    const coloured = hasColours
      ? text.replace(trouble, (found) => styleText("yellow", found, { validateStream: false }))
      : text
    writeError(`${erase}${coloured}\r`)
    shown = draw
  }
  const clear = Effect.sync(() => {
    writeError(erase)
    shown = undefined
  })
  const makeRoom = (tell: (...parts: ReadonlyArray<unknown>) => void) => {
    return (...parts: ReadonlyArray<unknown>): void => {
      const draw = shown
      writeError(erase)
      shown = undefined
      tell(...parts)
      if (draw !== undefined) redraw(draw)
    }
  }
  redraw((columns) => fitted(`${waitingFor} …`, columns))
  yield* Effect.acquireRelease(
    Effect.sync(() => onResize?.(() => (shown === undefined ? undefined : redraw(shown)))),
    (stop) => Effect.sync(() => stop?.())
  )
  return {
    show: (progress) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        if (now - shownAt < redrawMs) return
        shownAt = now
        const paced = pace.at(progress, now)
        redraw((columns) => fittedProgress(progress, paced, columns))
      }),
    clear,
    console: { ...console, log: makeRoom(console.log), error: makeRoom(console.error) }
  }
})

/** Where nobody watches: a line now and then. */
const plainLines = Effect.fnUntraced(function* (
  pace: ProgressPace,
  waitingFor: string,
  write: (text: string) => void,
  console: Console.Console
): Effect.fn.Return<ProgressLine, never, Scope.Scope> {
  let hasProgress = false
  let shownAt = yield* Clock.currentTimeMillis
  yield* Effect.forkScoped(
    Effect.delay(
      Effect.sync(() => {
        if (!hasProgress) write(`${waitingFor} …\n`)
      }),
      silence
    )
  )
  return {
    show: (progress) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        hasProgress = true
        const paced = pace.at(progress, now)
        if (now - shownAt < lineMs) return
        shownAt = now
        write(`${progressText(progress, paced)}\n`)
      }),
    clear: Effect.sync(() => {
      hasProgress = true
    }),
    console
  }
})
