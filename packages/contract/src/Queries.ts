import { Schema } from "effect"
import { JobStatus, Timestamp } from "./Vocabulary.ts"

const positive = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))
const upTo = (maximum: number, standard: number) =>
  Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum })).annotate({ default: standard }))

const page = Schema.optionalKey(positive.annotate({ default: 1 }))

/** The slice of results a crawl or batch status carries: `page` counts from 1, `page_size` is 1 to 50 and 10 when absent. */
export const SliceQuery = { page, page_size: upTo(50, 10) }

/** Rows of a job list whose default page holds 10. The maximum is unpublished; 100 is assumed. */
export const ListQuery10 = { page, page_size: upTo(100, 10) }

/** Rows of a list whose default page holds 100, which is also the maximum. */
export const ListQuery100 = { page, page_size: upTo(100, 100) }

/** Both bounds are inclusive. */
export const DateRange = {
  start_date: Schema.optionalKey(Timestamp),
  end_date: Schema.optionalKey(Timestamp)
}

/** The filters all job lists share. */
export const JobFilter = { status: Schema.optionalKey(JobStatus), ...DateRange }
