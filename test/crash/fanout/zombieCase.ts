import { isDeepStrictEqual } from "node:util"
import { Effect } from "effect"
import { untrue } from "../Books.ts"
import { lastWords } from "../Executioner.ts"
import { type FanoutCase, settingOf, wordsOf } from "./FanoutCase.ts"
import { judgeGarbage, judgeKept, judgePlace, judgeSpool } from "./judgeScene.ts"
import { badEnd, type FanoutVerdict, withLast } from "./runCase.ts"
import { openScene, type Servers } from "./Scene.ts"

/** Stops a process at a point, lets another carry its run out, and wakes it: it changes nothing and says so. */
export const runZombieCase = Effect.fnUntraced(function* (servers: Servers, given: FanoutCase) {
  const setting = settingOf("zombie", given)
  const scene = yield* openScene(servers, setting)
  const { home } = scene
  const zombie = yield* scene.begin(home, { death: { point: given.point, nth: setting.nth, signal: "SIGSTOP" } })
  yield* zombie.says(lastWords)
  const isStopped = (yield* home.books).runs.every(({ receipt }) => receipt === null)
  const wrong: Array<string> = []
  if (isStopped) wrong.push(...badEnd(yield* scene.live(home)))
  wrong.push(...(yield* judgePlace(scene, home, 1)))
  if (isStopped && given.keeping === "spool") wrong.push(...(yield* judgeSpool(scene, 1)))
  const [chargeLedger, view] = [yield* home.books, yield* home.view]

  zombie.kill("SIGCONT")
  const end = yield* zombie.end
  if (isStopped) {
    wrong.push(
      ...untrue([
        [/another process took this run over/.test(end.stdout), "the zombie does not say that it has lost its run"],
        [end.stdout.includes('"status":"halted"'), "the zombie does not end as halted"],
        [isDeepStrictEqual(yield* home.books, chargeLedger), "the zombie has changed tables or ledger"],
        [isDeepStrictEqual(yield* home.view, view), "the zombie has changed what readers of the lake see"]
      ])
    )
  }
  wrong.push(...(yield* judgeKept(scene, 1, 1)), ...(yield* judgeGarbage(home)))
  const verdict: FanoutVerdict = {
    ...given,
    what: "zombie",
    setting: wordsOf(setting),
    deaths: isStopped ? 1 : 0,
    attempts: 2,
    wrong: withLast(wrong, end)
  }
  return verdict
}, Effect.scoped)
