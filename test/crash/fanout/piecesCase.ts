import { S3Server } from "@sluice/testkit/s3"
import { Effect } from "effect"
import type { Life } from "../Life.ts"
import { workOf } from "../Work.ts"
import { halfShown, judgeGarbage, judgeKept, judgePlace } from "./judgeScene.ts"
import { badEnd } from "./runCase.ts"
import { openScene, type Servers } from "./Scene.ts"

/** The requests by which an object goes in pieces. */
export const piecewise = ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"] as const

/** Kills a process as the store of its lake is asked to do a step of an upload in pieces. Answers what is wrong. */
export const runPiecesCase = Effect.fnUntraced(function* (
  servers: Omit<Servers, "s3">,
  step: (typeof piecewise)[number]
) {
  let doomed: Life | undefined
  const s3 = yield* S3Server.make({
    onRequest: ({ operation }) => Effect.sync(() => operation === step && doomed?.kill("SIGKILL"))
  })
  const scene = yield* openScene(
    { ...servers, s3 },
    {
      work: workOf("crawl", 2, { pages: 7, bodyBytes: 6 * 1024 * 1024 }),
      pipeline: `pieces-${step.toLowerCase()}`,
      ids: 1_000_000_001 + piecewise.indexOf(step),
      keeping: "vault",
      lake: { where: "s3", format: "jsonl", mode: "replace", compression: "none" },
      segmentRecords: 4
    }
  )
  const { home } = scene
  const first = yield* scene.begin(home)
  doomed = first
  const { signal } = yield* first.end
  doomed = undefined
  const wrong = [
    ...(signal === "SIGKILL" ? [] : [`nobody asked for ${step}`]),
    ...(yield* halfShown(scene, home, 0)),
    ...badEnd(yield* scene.live(home)),
    ...(yield* judgePlace(scene, home, 1)),
    ...(yield* judgeKept(scene, 1, 1)),
    ...(yield* judgeGarbage(home))
  ]
  return wrong.map((each) => `${step}: ${each}`)
}, Effect.scoped)
