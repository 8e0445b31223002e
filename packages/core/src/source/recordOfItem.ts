import { isTerminal, type JobStatus } from "@sluice/contract"
import { type PageRecord, type UrlRejection, weigh } from "../record/PageRecord.ts"

/** The place of a result in its job. */
interface Place extends Pick<PageRecord, "jobId" | "key" | "inputIndex" | "parentUrl" | "depth"> {
  readonly links: ReadonlyArray<string> | null
}

/** What the results of crawls and batches have in common. */
interface Item {
  readonly url: string
  readonly status: JobStatus
  readonly error_code?: string | null
  readonly error_message?: string | null
  readonly data?: { readonly markdown?: string | null; readonly html?: string | null } | null
  readonly metadata?: {
    readonly http_status?: number | null
    readonly duration_ms?: number | null
    readonly retry_count?: number | null
    readonly tokens_charged?: number | null
  } | null
}

/** The record of a terminal result, with what of it the contract does not know or could not be read. */
export const recordOfItem = (
  place: Place,
  item: Item,
  { extra, unread }: Pick<PageRecord, "extra" | "unread"> = { extra: null }
): PageRecord => {
  const record = {
    jobId: place.jobId,
    key: place.key,
    url: item.url,
    inputIndex: place.inputIndex,
    parentUrl: place.parentUrl,
    depth: place.depth,
    status: isTerminal(item.status) ? item.status : "cancelled",
    errorCode: item.error_code ?? null,
    errorMessage: item.error_message ?? null,
    markdown: item.data?.markdown ?? null,
    html: item.data?.html ?? null,
    links: place.links ?? [],
    httpStatus: item.metadata?.http_status ?? null,
    durationMs: item.metadata?.duration_ms ?? null,
    retryCount: item.metadata?.retry_count ?? null,
    tokensCharged: item.metadata?.tokens_charged ?? null,
    extra,
    refusal: null
  } as const
  const weighed = { ...record, bytes: weigh(record) }
  return unread === undefined ? weighed : { ...weighed, unread }
}

/** The record of a result that cannot be counted as a page, or that an earlier build refused. */
export const refusedRecord = (
  place: Pick<PageRecord, "jobId" | "key" | "url" | "inputIndex"> & { readonly status: JobStatus },
  refusal: UrlRejection
): PageRecord => {
  const { status, url, ...rest } = place
  const item = recordOfItem({ ...rest, parentUrl: null, depth: null, links: null }, { url, status })
  const record = { ...item, refusal }
  return { ...record, bytes: weigh(record) }
}
