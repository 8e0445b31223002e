import { Effect } from "effect"
import type { End } from "../Life.ts"
import { type FanoutCase, settingOf, wordsOf } from "./FanoutCase.ts"
import { halfShown, judgeGarbage, judgeKept, judgePlace, judgeSpool } from "./judgeScene.ts"
import { openScene, type Servers } from "./Scene.ts"

/** What came of a case. */
export interface FanoutVerdict extends FanoutCase {
  readonly what: "run" | "replay" | "zombie"
  readonly setting: string
  /** Processes that met the point. */
  readonly deaths: number
  readonly attempts: number
  readonly wrong: ReadonlyArray<string>
}

/** A run that does not end in so many attempts never will. */
export const mostAttempts = 8

/** Kills the processes of a run at a point until they are left alone, and compares everything there is. */
export const runFanoutCase = Effect.fnUntraced(function* (servers: Servers, given: FanoutCase) {
  const setting = settingOf("run", given)
  const { diesTwice, isSecond, nth } = setting
  const scene = yield* openScene(servers, setting)
  const { home } = scene
  const wrong: Array<string> = []
  if (isSecond) wrong.push(...badEnd(yield* scene.live(home)))
  const before = isSecond ? 1 : 0
  const isFinal = Effect.map(
    home.books,
    ({ runs }) => runs.length > before && runs.every(({ receipt }) => receipt !== null)
  )
  let deaths = 0
  let attempts = 0
  let last: End | undefined
  /** The requests that were made when all of the source was kept and a sink lacked some of it. */
  let asked: number | undefined
  while (attempts < mostAttempts && !(yield* isFinal)) {
    const doomed = deaths < (diesTwice ? 2 : 1)
    last = yield* scene.live(home, {
      ...(doomed ? { death: { point: given.point, nth: deaths === 0 ? nth : 1, signal: "SIGKILL" as const } } : {}),
      ...(attempts === 0 && setting.down !== undefined ? { down: setting.down } : {})
    })
    attempts++
    if (last.signal === "SIGKILL") deaths++
    const over = (yield* isFinal) ? before + 1 : before
    if (last.signal === null && over === before) asked ??= scene.simulator.charges.requests.length
    wrong.push(...(yield* halfShown(scene, home, over)).map((each) => `after attempt ${attempts}: ${each}`))
  }
  if (last !== undefined && last.signal === null) {
    wrong.push(...badEnd(last))
    if (given.keeping === "spool") wrong.push(...(yield* judgeSpool(scene, deaths)))
  }
  const further = scene.simulator.charges.requests.length - (asked ?? scene.simulator.charges.requests.length)
  if (further > 0) wrong.push(`${further} requests were made for what was kept`)
  wrong.push(...(yield* judgePlace(scene, home, before + 1)))
  wrong.push(...(yield* judgeKept(scene, before + 1, deaths)))
  wrong.push(...(yield* judgeGarbage(home)))
  const verdict: FanoutVerdict = {
    ...given,
    what: "run",
    setting: wordsOf(setting),
    deaths,
    attempts,
    wrong: withLast(wrong, last)
  }
  return verdict
}, Effect.scoped)

/** What is wrong, with what the last process said. */
export const withLast = (wrong: ReadonlyArray<string>, last: End | undefined): ReadonlyArray<string> =>
  wrong.length === 0 || last === undefined ? wrong : [...wrong, last.stdout.slice(-600), last.stderr.slice(-600)]

/** What is wrong with the end of a process that nobody has killed. */
export const badEnd = ({ code, stderr }: End): ReadonlyArray<string> =>
  code === 0 ? [] : [`a process ended with ${code}: ${stderr.slice(-400)}`]
