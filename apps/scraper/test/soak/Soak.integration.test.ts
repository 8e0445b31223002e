import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { testDatabase } from "../TestDatabase.ts"
import { isLong, keys, soak } from "./soak.ts"

const minutes = Number(process.env.SLUICE_SOAK_MINUTES ?? 3)

describe(`${keys.length} keys at once, with the state in Postgres, for ${minutes} minutes`, () => {
  it.live.skipIf(!isLong)(
    "are answered as with a directory, and leave nothing behind (skipped outside the soak)",
    () => Effect.flatMap(testDatabase, (url) => soak(minutes, { SCRAPER_STATE_URL: url })),
    { timeout: minutes * 60_000 + 120_000 }
  )
})
