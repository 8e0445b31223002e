import { isTerminal } from "@sluice/contract"
import { pageKey } from "@sluice/core/sink"
import type { JobHistory } from "@sluice/testkit"
import type { JobSnapshot } from "../../packages/core/src/record/JobSnapshot.ts"
import { SlicePlan } from "../../packages/core/src/source/SlicePlan.ts"

/** What reading a history with a plan came to. */
export interface Reading {
  /** URLs in the order they were first seen to have ended. */
  readonly delivered: ReadonlyArray<string>
  readonly reconciled: boolean
  readonly reads: number
  readonly pauses: number
  /** The poll at which the first page was delivered; infinity when none was. */
  readonly firstAt: number
  readonly plan: SlicePlan
}

/** Drives a plan over a history as the reader does, without clock and network. Throws when it never ends. */
export const readWithPlan = (
  history: JobHistory,
  options: {
    readonly maxSweeps?: number
    readonly committed?: Iterable<string>
    /** How many rows a slice may hold from a round on. */
    readonly fits?: ReadonlyMap<number, number>
    readonly probe?: boolean
    readonly mostReads?: number
  } = {}
): Reading => {
  const committed = new Set(options.committed)
  const seen = new Set<bigint>([...committed].map((url) => pageKey(url)))
  const plan = new SlicePlan({ maxSweeps: options.maxSweeps ?? 3, seen: seen.size, probe: options.probe ?? false })
  const delivered: Array<string> = []
  let reads = 0
  let pauses = 0
  let firstAt = Number.POSITIVE_INFINITY
  for (let round = 0; ; round++) {
    const fit = options.fits?.get(round)
    if (fit !== undefined) plan.fit(fit)
    const step = plan.next()
    if (step._tag === "Done") return { delivered, reconciled: step.reconciled, reads, pauses, firstAt, plan }
    if (step.afterPause) pauses++
    for (const page of step.pages) {
      const state = history.at(reads)
      if (++reads > (options.mostReads ?? 5_000)) throw new Error("the plan does not end")
      if (state === undefined) throw new Error("the job is unknown")
      const rows = state.rows.slice((page - 1) * plan.pageSize, page * plan.pageSize)
      const ended = rows.filter((row) => isTerminal(row.status))
      for (const { url } of ended) {
        const key = pageKey(url)
        if (seen.has(key)) continue
        seen.add(key)
        delivered.push(url)
        firstAt = Math.min(firstAt, reads - 1)
      }
      const { cancelled, completed, failed, status, total } = state
      const snapshot: JobSnapshot = {
        jobId: "job",
        kind: "crawl",
        url: "https://moving.test/",
        status,
        discovered: total,
        completed,
        failed,
        cancelled,
        tokensCharged: completed,
        tokensReserved: 0,
        observedAt: reads
      }
      plan.observe(snapshot, { page, rows: rows.length, terminalRows: ended.length }, seen.size)
    }
  }
}
