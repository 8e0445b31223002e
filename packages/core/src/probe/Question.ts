import { Schema } from "effect"

/** An error answer: its status, and which of the bodies of the contract it carries. */
export const ErrorShape = Schema.Struct({
  status: Schema.Int,
  body: Schema.Literals(["envelope", "validation", "search", "json", "empty", "html", "text"])
})
export type ErrorShape = typeof ErrorShape.Type

/** How an answer differs from the contract: members it lacks, members nobody knows, and members of another type, by that type. */
export const MemberDrift = Schema.Struct({
  absent: Schema.Array(Schema.String),
  extra: Schema.Array(Schema.String),
  mistyped: Schema.Record(Schema.String, Schema.String)
})
export type MemberDrift = typeof MemberDrift.Type

const Words = Schema.Array(Schema.String)

const question = <S extends Schema.Top>(section: string, asks: string, value: S) => ({ section, asks, value })

/**
 * What a probe asks: the facts about the API that no source states or that sources disagree on, each with the section of the contract
 * it belongs to and the values it can have.
 */
export const questions = {
  "auth.accepted": question("1, 17", "Which ways of sending the key are accepted?", Words),
  "errors.wrong_key": question("11, 17", "How is a wrong key refused?", ErrorShape),
  "errors.unknown_job": question("11, 17", "How is an unknown job answered?", ErrorShape),
  "errors.malformed_id": question("1, 6.3", "How is a job id that is no UUID answered?", ErrorShape),
  "errors.empty_request": question("11, 17", "How is a crawl without a URL refused?", ErrorShape),
  "errors.empty_request_tokens": question("13", "How many tokens does a refused request cost?", Schema.Int),
  "rates.retry_after": question(
    "12",
    "What form has Retry-After on a 429 or 503?",
    Schema.Literals(["seconds", "date", "absent"])
  ),
  "rates.headers": question("12", "Which rate limit headers do answers carry?", Words),
  "usage.members": question("9", "What does GET /v1/usage tell?", Words),
  "statistics.offered": question("9", "Is GET /v1/statistics offered?", Schema.Boolean),
  "extract.default_formats": question("4.1, 17", "Which formats does an extraction return by default?", Words),
  "extract.sync_members": question("4.1", "How does an extraction at once differ from the contract?", MemberDrift),
  "extract.sync_tokens": question("13", "How many tokens does an extraction at once cost?", Schema.Int),
  "extract.sync_listed": question("4.3", "Are synchronous extractions in the job list?", Schema.Boolean),
  "extract.async_answer": question(
    "4.1",
    "What is an asynchronous extraction answered with?",
    Schema.Literals(["job", "page", "both"])
  ),
  "extract.job_members": question("4.2", "How does an extraction job differ from the contract?", MemberDrift),
  "extract.url_filter": question(
    "4.3",
    "How does the url filter of the list match?",
    Schema.Literals(["exact", "part", "ignored"])
  ),
  "crawl.accepted_members": question("6.1", "How does a new crawl's answer differ from the contract?", MemberDrift),
  "crawl.estimated_pages": question("6.1", "What is estimated_pages?", Schema.Literals(["limit", "absent", "other"])),
  "crawl.members": question("6.2, 17", "How does a crawl differ from the contract?", MemberDrift),
  "crawl.result_members": question("6.2, 17", "How does a crawl's result differ from the contract?", MemberDrift),
  "crawl.default_formats": question("16.1", "Which formats does a crawl return by default?", Words),
  "crawl.defaults": question(
    "16.2",
    "Which options does a crawl echo that were not given?",
    Schema.Record(Schema.String, Schema.Json)
  ),
  "crawl.seed_depth": question("6.2, 17", "What depth has the seed page?", Schema.Int),
  "crawl.limit_kept": question("6.1", "Is the limit kept?", Schema.Boolean),
  "crawl.reserved": question("13", "Are reserved tokens the pages that have not ended?", Schema.Boolean),
  "results.order": question(
    "6.2, 16.8",
    "Where do new results of a running job appear?",
    Schema.Literals(["at the end", "at the front", "in between", "changing"])
  ),
  "results.pending_rows": question("6.2, 16.8", "Are pages that have not ended among the results?", Schema.Boolean),
  "results.repeated_rows": question("16.8", "Are results of a running job listed twice?", Schema.Boolean),
  "results.page": question("2.6", "What does page do?", Schema.Literals(["counts from 1", "counts from 0", "ignored"])),
  "results.page_size": question(
    "6.2",
    "What does page_size do?",
    Schema.Union([
      Schema.Literal("honoured"),
      Schema.Struct({ rows: Schema.Int }),
      Schema.Struct({ cut_to: Schema.Int }),
      Schema.Struct({ empty_page: Schema.Int })
    ])
  ),
  "results.past_end": question(
    "2.6",
    "What is a page past the end of the results?",
    Schema.Literals(["empty", "repeated", "refused"])
  ),
  "results.page_size_over_50": question(
    "2.6",
    "Is a page_size of 51 refused?",
    Schema.Literals(["refused", "accepted"])
  ),
  "jobs.states": question("17", "Which states do jobs and pages have?", Words),
  "jobs.unknown_polls": question("4.2", "How many reads of a new job are answered with 404?", Schema.Int),
  "cancel.answer": question("6.3, 17", "What state does a cancellation answer with?", Schema.String),
  "cancel.members": question("6.3, 17", "How does a cancellation differ from the contract?", MemberDrift),
  "cancel.reserved": question("13", "How many tokens stay reserved after a cancellation?", Schema.Int),
  "cancel.twice": question("6.3", "How is a second cancellation answered?", ErrorShape),
  "cancel.ended": question("6.3, 17", "How is the cancellation of an ended job answered?", ErrorShape),
  "batch.invalid_urls": question(
    "16.4",
    "What are the elements of invalid_urls?",
    Schema.Literals(["texts", "objects", "none", "request refused"])
  ),
  "batch.duplicates": question("5.1", "Are duplicate URLs extracted one by one?", Schema.Boolean),
  "batch.default_formats": question("5.1", "Which formats does a batch return by default?", Words),
  "batch.members": question("5.2", "How does a batch differ from the contract?", MemberDrift),
  "batch.result_members": question("5.2", "How does a batch's result differ from the contract?", MemberDrift),
  "map.answer": question("7.1", "What does a map answer?", Schema.Literals(["links", "warning", "nothing", "failure"])),
  "map.metadata": question("7.1, 17", "Does a map's answer have metadata?", Schema.Boolean),
  "map.listed": question("7.1", "Is a map stored as a job?", Schema.Boolean),
  "map.tokens": question("13, 17", "How many tokens does a map cost?", Schema.Int),
  "lists.lag_reads": question("2.6", "How many reads of the job list miss a new job?", Schema.Int),
  "lists.lag_ms": question("2.6", "How many milliseconds does a job list take to show a job?", Schema.Int),
  "lists.shows_jobs": question("2.6", "Does the job list show new jobs at all?", Schema.Boolean),
  "lists.crawl_members": question("6.4, 17", "How does a listed crawl differ from the contract?", MemberDrift),
  "lists.order": question("2.6", "In which order are jobs listed?", Schema.Literals(["newest first", "oldest first"])),
  "lists.page": question("2.6", "What does page of a job list do?", Schema.Literals(["counts from 1", "ignored"])),
  "lists.page_count": question(
    "2.6",
    "Is page_count of a job list right?",
    Schema.Literals(["right", "too small", "absent"])
  ),
  "lists.empty_page_count": question("2.6", "What is page_count of an empty list?", Schema.Int),
  "lists.dates": question("2.6", "Are start_date and end_date honoured?", Schema.Literals(["honoured", "ignored"])),
  "lists.status": question("2.6", "Is the status filter honoured?", Schema.Literals(["honoured", "ignored"])),
  "lists.past_end": question(
    "2.6",
    "What is a page past the end of a job list?",
    Schema.Literals(["empty", "repeated", "refused"])
  ),
  "lists.page_size_over_100": question(
    "2.6",
    "What becomes of a page_size of 101 of a job list?",
    Schema.Literals(["refused", "lowered", "accepted"])
  ),
  "lists.default_page_size": question(
    "17",
    "How many jobs does a page of each list hold by default?",
    Schema.Record(Schema.String, Schema.Int)
  ),
  "lists.oldest_days": question("16.10", "How many days old is the oldest job listed?", Schema.Int)
} as const

/** The name of a question. */
export type QuestionId = keyof typeof questions

/** All of them, in the order they are reported. */
export const questionIds = Object.keys(questions) as ReadonlyArray<QuestionId>

/** What the answer to a question can be. */
export type ValueOf<Q extends QuestionId> = (typeof questions)[Q]["value"]["Type"]

/** What the contract leaves open and no probe can find out, with the reason. */
export const notAsked: ReadonlyArray<{ readonly section: string; readonly asks: string; readonly why: string }> = [
  { section: "17", asks: "Most URLs of a batch", why: "it depends on the plan, and each URL may cost" },
  { section: "17", asks: "Can a page be extracted without a key?", why: "the answer would be paid for by nobody" },
  { section: "16.2", asks: "Default of a crawl's limit", why: "a crawl without a limit has no bound on its cost" },
  { section: "16.3", asks: "Meaning of wait_timeout", why: "it takes a page with scripts of known timing" },
  {
    section: "16.5",
    asks: "Signature, retries and payloads of webhooks",
    why: "it takes a receiver that the API can reach"
  },
  {
    section: "16.6",
    asks: "Status of a plan limit, full list of error codes",
    why: "they depend on the plan and on failures"
  },
  {
    section: "16.9",
    asks: "Bodies of the search endpoints",
    why: "Sluice does not use them, and each search may cost"
  },
  {
    section: "16.10",
    asks: "How long jobs are kept at most, size limits of bodies",
    why: "it takes months, and large pages"
  }
]
