import { type CrawlResult, CrawlStatus, JobId } from "@sluice/contract"
import { Effect, Schema, Struct } from "effect"
import type { PageJobView, PageSlot } from "../crawler/PageJob.ts"
import { timesOf } from "../jobs/Job.ts"
import type { CrawlSpec } from "./CrawlStrategy.ts"

/** The address of a crawl's status. */
export const crawlUrl = (id: string) => `/v1/crawl/${id}`

/** What a crawl was asked to do. */
export const crawlConfigOf = ({ spec }: PageJobView<CrawlSpec>) => ({
  render_js: spec.renderJs,
  formats: spec.formats,
  same_domain_only: spec.sameDomainOnly,
  include_subdomains: spec.includeSubdomains,
  proxy: spec.proxy,
  wait_config: spec.waitConfig
})

/** A crawl's status without its results. */
export const crawlStatusOf = (job: PageJobView<CrawlSpec>) => ({
  job_id: JobId.make(job.id),
  url: job.spec.url,
  status: job.status,
  crawl_config: crawlConfigOf(job),
  total_pages: job.counts.total,
  completed_pages: job.counts.completed,
  failed_pages: job.counts.failed,
  cancelled_pages: job.counts.cancelled,
  ...timesOf(job),
  token_summary: { tokens_charged_total: job.counts.completed, tokens_reserved: job.openPages }
})

const encode = Schema.encodeEffect(Schema.Struct(Struct.omit(CrawlStatus.fields, ["results"])))

/** What receivers of webhooks are told. */
export const crawlEventData = (job: PageJobView<CrawlSpec>) => Effect.orDie(encode(crawlStatusOf(job)))

/** A page of a crawl. */
export const crawlResultOf = ({ page, parentUrl, row }: PageSlot): CrawlResult => ({
  url: row?.url ?? page.url,
  parent_url: parentUrl,
  depth: page.depth,
  status: page.status,
  error_code: row?.error_code ?? null,
  error_message: row?.error_message ?? null,
  links: row?.links ?? [],
  data: row?.data ?? null,
  ...(row === undefined ? {} : { metadata: row.metadata })
})
