import { describe, it } from "@effect/vitest"
import { isLong, keys, soak } from "./soak.ts"

const minutes = isLong ? Number(process.env.SLUICE_SOAK_MINUTES ?? 10) : 0.1

describe(`${keys.length} keys at once, for ${minutes} minutes`, () => {
  it.live("are answered within the contract and their limits, and leave nothing behind", () => soak(minutes), {
    timeout: minutes * 60_000 + 240_000
  })
})
