import { isDeepStrictEqual } from "node:util"
import { makeRng, roll } from "@sluice/testkit"
import { Effect } from "effect"
import { untrue } from "../Books.ts"
import type { End } from "../Life.ts"
import { type FanoutCase, settingOf, wordsOf } from "./FanoutCase.ts"
import { halfShown, judgeGarbage, judgePlace } from "./judgeScene.ts"
import { badEnd, type FanoutVerdict, mostAttempts, withLast } from "./runCase.ts"
import { openPlace, openScene, type Servers } from "./Scene.ts"

/** The death of a process while it reads: the run it leaves is kept in two attempts. */
const deathBefore = { point: "after write of kept segment note", nth: 2, signal: "SIGKILL" } as const

/**
 * Kills the processes of a replay, into a ledger and sinks that know nothing, at a point until they are left alone. In some
 * seeds it is a run of the pipeline, not another replay, that goes on with what the first one has left.
 */
export const runReplayCase = Effect.fnUntraced(function* (servers: Servers, given: FanoutCase) {
  const setting = settingOf("replay", given)
  const next = makeRng(given.seed, "replay", given.point)
  const [wasKilled, isGoneOnWith] = [roll(next, 2) === 0, roll(next, 3) === 0]
  const scene = yield* openScene(servers, setting)
  const { home, simulator } = scene
  const wrong: Array<string> = []
  if (wasKilled) yield* scene.live(home, { death: deathBefore })
  wrong.push(...badEnd(yield* scene.live(home)))
  if (setting.isSecond) wrong.push(...badEnd(yield* scene.live(home)))
  const count = setting.isSecond ? 2 : 1
  wrong.push(...(yield* judgePlace(scene, home, count)))
  const asked = simulator.charges.requests.length

  const other = yield* openPlace(servers.s3, servers.otherUrl, setting)
  let deaths = 0
  let attempts = 0
  let last: End | undefined
  let isDone = false
  while (!isDone && attempts < mostAttempts) {
    const { runs } = yield* other.books
    const mayRun = isGoneOnWith && deaths > 0 && runs.some(({ receipt }) => receipt === null)
    const doomed = deaths < (setting.diesTwice ? 2 : 1)
    last = yield* scene.live(other, {
      task: mayRun ? "run" : "replay",
      ...(doomed && !mayRun
        ? { death: { point: given.point, nth: deaths === 0 ? setting.nth : 1, signal: "SIGKILL" as const } }
        : {}),
      ...(attempts === 0 && setting.down !== undefined ? { down: setting.down } : {})
    })
    attempts++
    if (last.signal === "SIGKILL") deaths++
    else wrong.push(...badEnd(last))
    isDone = last.signal === null && !mayRun && !last.stdout.includes('"failed"')
    const over = (yield* other.books).runs.filter(({ receipt }) => receipt !== null).length
    wrong.push(...(yield* halfShown(scene, other, over)).map((each) => `after attempt ${attempts}: ${each}`))
  }
  wrong.push(...(yield* judgePlace(scene, other, count)))
  const receiptsOf = (place: typeof home) =>
    Effect.map(place.books, ({ runs }) => runs.map(({ receipt, run_id }) => ({ run_id, receipt })))
  const further = yield* scene.live(other, { task: "replay" })
  wrong.push(
    ...untrue([
      [simulator.charges.requests.length === asked, `${simulator.charges.requests.length - asked} requests were made`],
      [
        isGoneOnWith || isDeepStrictEqual(yield* receiptsOf(other), yield* receiptsOf(home)),
        "the receipts are not what they were"
      ],
      [further.stdout.split('"unchanged"').length === 1 + count, `one more replay: ${further.stdout.slice(-300)}`]
    ]),
    ...(yield* judgeGarbage(other))
  )
  const verdict: FanoutVerdict = {
    ...given,
    what: "replay",
    setting: `${wordsOf(setting)}${wasKilled ? ", read in two attempts" : ""}${isGoneOnWith ? ", gone on with by a run" : ""}`,
    deaths,
    attempts,
    wrong: withLast(wrong, last)
  }
  return verdict
}, Effect.scoped)
