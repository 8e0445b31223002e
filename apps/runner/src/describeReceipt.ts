import type { Receipt } from "@sluice/core"
import { describeFailures } from "./describeFailures.ts"
import { duration } from "./progressText.ts"

/** A receipt for people. */
export const describeReceipt = (receipt: Receipt): string => {
  const { pages, requests, tokens } = receipt
  const seconds = (Date.parse(receipt.finished_at) - Date.parse(receipt.started_at)) / 1000
  const jobs = receipt.jobs.length === 1 ? receipt.jobs[0]!.job_id : `${receipt.jobs.length} jobs`
  return [
    `run        ${receipt.run_id}`,
    `pipeline   ${receipt.pipeline} (config ${receipt.config_hash.slice(0, 12)})`,
    `status     ${receipt.status}, after ${duration(seconds)}`,
    `jobs       ${jobs}`,
    `pages      ${pages.delivered} delivered; the API counts ${pages.discovered} discovered, ${pages.completed} completed, ${pages.failed} failed, ${pages.cancelled} cancelled`,
    `tokens     ${tokens.charged} charged, ${tokens.reserved} reserved`,
    `requests   ${requests.submitted} submitted, ${requests.reads} reads, ${requests.retries} retries`,
    ...describeFailures(receipt),
    ...(receipt.notes ?? []).map((note) => `note       ${note}`),
    ...(receipt.supersedes === undefined
      ? []
      : [`supersedes the receipt of ${receipt.supersedes.finished_at} (${receipt.supersedes.status})`]),
    ...(receipt.unpublished === undefined ? [] : ["published  no"]),
    ...(receipt.drift === undefined ? [] : [`drift      ${receipt.drift.join(", ")}`]),
    ...receipt.sinks.map(({ dead_letters: deadLetters, name, rows }) => {
      const aside = deadLetters === 0 ? "" : `, ${deadLetters} dead letters`
      return `${`sink ${name}`.padEnd(10)} ${rows.pages} pages, ${rows.links} links, ${rows.page_metadata} page_metadata, ${rows.token_summaries} token_summaries${aside}`
    })
  ].join("\n")
}
