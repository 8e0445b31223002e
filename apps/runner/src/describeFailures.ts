import type { Receipt } from "@sluice/core"

/** Jobs that are named where several did not complete. */
const mostJobs = 3

/** What a receipt says of pages and jobs that failed: each code with its count, what to do, and a few URLs. */
export const describeFailures = ({ failures = [], jobs, pages }: Receipt): ReadonlyArray<string> => {
  const counted = failures.reduce((sum, { count }) => sum + count, 0)
  return [
    ...failures.flatMap(({ code, count, hint, http_status: status, urls }) => [
      `failed     ${count} ${count === 1 ? "page" : "pages"}: ${code}${status === undefined ? "" : ` (${status})`}${hint === undefined ? "" : `: ${hint}`}`,
      ...urls.map((url) => `             ${url}`),
      ...(count > urls.length ? [`             and ${count - urls.length} more`] : [])
    ]),
    ...(pages.failed > counted
      ? [`failed     ${pages.failed - counted} pages the API counts as failed and has not delivered`]
      : []),
    ...describeJobs(jobs)
  ]
}

const describeJobs = (jobs: Receipt["jobs"]): ReadonlyArray<string> =>
  (["failed", "cancelled"] as const).flatMap((ended) => {
    const found = jobs.filter(({ status }) => status === ended)
    // Of a lone job the status of the run says it.
    if (found.length === 0 || jobs.length === 1) return []
    const named = found.slice(0, mostJobs).map(({ job_id: id, kind, url }) => `             ${kind} ${id} ${url}`)
    const rest = found.length > named.length ? [`             and ${found.length - named.length} more`] : []
    return [`jobs       ${found.length} of ${jobs.length} ${ended}`, ...named, ...rest]
  })
