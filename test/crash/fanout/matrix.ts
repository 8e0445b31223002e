import type { FanoutCase } from "./FanoutCase.ts"
import { keepings, pointsOfReplay, pointsOfRun, pointsOfZombie } from "./points.ts"
import type { FanoutVerdict } from "./runCase.ts"

/** What is killed or stopped. */
export const kinds = ["run", "replay", "zombie"] as const
export type FanoutKind = (typeof kinds)[number]

const placesOf = (kind: FanoutKind): ReadonlyArray<Pick<FanoutCase, "keeping" | "point">> =>
  keepings.flatMap((keeping) => {
    if (kind === "replay") return keeping === "spool" ? [] : pointsOfReplay.map((point) => ({ keeping, point }))
    const points = kind === "run" ? pointsOfRun(keeping) : pointsOfZombie(keeping)
    return points.map((point) => ({ keeping, point }))
  })

/** Every point of a kind, with each of so many seeds: seed by seed, so that what is cut short has met every point. */
export const allCases = (kind: FanoutKind, seeds: number): ReadonlyArray<FanoutCase> =>
  Array.from({ length: seeds }, (_, seed) => placesOf(kind).map((place) => ({ ...place, seed }))).flat()

/** So many points of a kind, spread over all of them; a round takes those next to the round before, with a seed of its own. */
export const someCases = (kind: FanoutKind, count: number, round: number): ReadonlyArray<FanoutCase> => {
  const places = placesOf(kind)
  return Array.from({ length: count }, (_, index) => {
    const at = (Math.floor((index * places.length) / count) + round) % places.length
    return { ...places[at]!, seed: round }
  })
}

/** What does not hold, in words that name the case. */
export const complaintsOf = ({ keeping, point, seed, setting, what, wrong }: FanoutVerdict): ReadonlyArray<string> =>
  wrong.map((each) => `${what}, ${keeping}, ${point}, seed ${seed} (${setting}): ${each}`)

/** What a reader can check: a line for each kind and point. */
export const tableOf = (verdicts: ReadonlyArray<FanoutVerdict>, round: number): string => {
  const rows = new Map<string, Array<FanoutVerdict>>()
  for (const verdict of verdicts) {
    const row = `${verdict.what} | ${verdict.keeping} | ${verdict.point}`
    rows.set(row, [...(rows.get(row) ?? []), verdict])
  }
  const sum = (of: ReadonlyArray<FanoutVerdict>, pick: (verdict: FanoutVerdict) => number) =>
    of.reduce((total, verdict) => total + pick(verdict), 0)
  const lines = [...rows].sort().map(([row, of]) => {
    const met = of.filter(({ deaths }) => deaths > 0).length
    const wrong = of.filter(({ wrong }) => wrong.length > 0).length
    return `| ${row} | ${of.length} | ${met} | ${sum(of, ({ deaths }) => deaths)} | ${sum(of, ({ attempts }) => attempts)} | ${wrong} |`
  })
  return [
    "| what | kept in | killed or stopped | cases | met | deaths | processes | wrong |",
    "|---|---|---|---|---|---|---|---|",
    ...lines,
    "",
    `Points of the normal suite: SLUICE_CRASH_ROUND=${round}.`,
    ""
  ].join("\n")
}
