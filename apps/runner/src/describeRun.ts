import { describeReceipt } from "./describeReceipt.ts"
import { countsOf, noteOf } from "./describeRuns.ts"
import type { ShownRun } from "./runsReader.ts"

/** A run for people: its receipt, or, while it has none, what was loaded so far. */
export const describeRun = (shown: ShownRun): string => {
  const { holder, run, state } = shown
  const note = noteOf(shown)
  if (run.receipt !== null) {
    return [describeReceipt(run.receipt), ...(note === "" ? [] : [`note       ${note}`])].join("\n")
  }
  const counts = countsOf(shown)
  return [
    `run        ${run.runId}`,
    `pipeline   ${run.pipeline} (config ${run.configHash.slice(0, 12)})`,
    `status     ${run.status}${holder === undefined ? "; not ended: the next run of the pipeline resumes it" : `, by ${holder}`}`,
    `started    ${new Date(run.startedAt).toISOString()}`,
    ...(state === undefined
      ? []
      : [
          `jobs       ${state.jobs.length}`,
          `pages      ${counts?.pages} loaded; the API counts ${state.jobs.reduce((sum, job) => sum + job.discovered, 0)} discovered, ${counts?.failed} failed`,
          `tokens     ${counts?.tokens} charged`,
          ...Array.from(state.loaded, ([name, { deadLetters, rows }]) => {
            const aside = deadLetters === 0 ? "" : `, ${deadLetters} dead letters`
            return `${`sink ${name}`.padEnd(10)} ${rows.pages} pages, ${rows.links} links, ${rows.page_metadata} page_metadata${aside}`
          })
        ])
  ].join("\n")
}
