import type { Schema } from "effect"

/** What a field of a pipeline file is for, the unit of its number, and what holds when it is absent. */
export interface FieldText {
  readonly what: string
  readonly unit?: string
  readonly required?: true
  readonly fallback?: Schema.Json
  /** What holds without it, in words, where that is no plain value. */
  readonly absent?: string
}

const required = (what: string): FieldText => ({ what, required: true })
const optional = (what: string, absent: string, unit?: string): FieldText => ({
  what,
  absent,
  ...(unit === undefined ? {} : { unit })
})
const standard = (what: string, fallback: Schema.Json, unit?: string): FieldText => ({
  what,
  fallback,
  ...(unit === undefined ? {} : { unit })
})

const nothing = "nothing of the kind"

/** Fields of the file's top level. */
const topLevel: Readonly<Record<string, FieldText>> = {
  ".name": required("What runs are listed and loaded under: letters, digits, _ and -, 1 to 63 characters"),
  ".source": required("What to crawl: one of crawl, extract, batch and map"),
  ".transforms": optional("What is done with each record, in this order", "records are loaded as they come"),
  ".sinks": required("Where the records are loaded: one sink at least, each with a name of its own"),
  ".budget": optional("What the pipeline may cost at most, in tokens", "runs may cost what their source costs"),
  ".drift": standard("What becomes of members of the API's results that this version does not know", "keep"),
  ".quarantine": optional(
    "How much of a run may become dead letters before it is not published; off lifts the bound",
    "a tenth of at least 20 records"
  ),
  ".expect": optional("What must be true of a run before it is published", "nothing is expected"),
  ".allow_shrink": standard(
    "Publish a run also where it leaves readers of a sink in mode replace or history with fewer than half of their pages",
    false
  ),
  ".orphans": optional(
    "Ask the API's job list for jobs of the same request that no run explains: before each run (check) or never (ignore)",
    "where the ledger is empty or lacks a run"
  ),
  ".when_running": standard("What a run does while another process works on a run of the pipeline", "refuse"),
  ".wait_minutes": standard("How long a run waits for another; needs when_running: wait", 60, "minutes"),
  ".api": optional("Which Scraper API serves the pipeline; the environment wins", "the embedded scraper"),
  ".embedded": optional("How the embedded scraper behaves when it serves the pipeline", "the values below"),
  ".ledger": optional(
    "The Postgres that remembers the runs",
    "the first Postgres sink, or an embedded database in ./.sluice/postgres"
  ),
  ".notify": optional("Whom to tell how runs end: each is told at least once, from the ledger", "nobody is told"),
  ".schedule": optional(
    "When sluice worker runs the pipeline: a cron expression, or one with time zone and policies",
    "workers do not run it"
  ),
  ".vault": optional("Where every result of the API is kept as it came, for replay", "nowhere"),
  ".spool": optional(
    "Where segments wait for sinks that lag, in a pipeline of several sinks without a vault",
    "the values below"
  )
}

/** Fields of an entry of `notify`. */
const notify: Readonly<Record<string, FieldText>> = {
  "NotifyTarget.name": optional(
    "Names the entry in the ledger; no two entries have the same name",
    "webhook, slack or command, by what the entry has"
  ),
  "NotifyTarget.on": optional(
    "How a run ends that is told of; recovered is the first completed run after another end",
    "all of them"
  ),
  "NotifyTarget.quarantine_share": optional(
    "Tells of a run of whose records more than this share became dead letters in a sink",
    "dead letters are not told of",
    "a share"
  ),
  "NotifyTarget.longer_than": optional("Tells of a run that took longer", "the time is not told of", "seconds"),
  "NotifyTarget.webhook": optional("Posts each notice as JSON", nothing),
  "NotifyTarget.webhook.url": required("Where notices are posted; redirects are not followed"),
  "NotifyTarget.webhook.secret": optional(
    "Signs each notice as Standard Webhooks say: HMAC-SHA256 over ID, timestamp and body; base64 behind whsec_, or any text",
    "notices are not signed"
  ),
  "NotifyTarget.slack": optional("Posts each notice in Slack's format", nothing),
  "NotifyTarget.slack.url": required("An incoming webhook of Slack, or of what takes the same format"),
  "NotifyTarget.command": optional(
    "A program and its arguments, which gets the notice as JSON on standard input; exit code 0 means delivered",
    nothing
  )
}

/** Fields of a schedule. */
const schedule: Readonly<Record<string, FieldText>> = {
  "Schedule.cron": required(
    "When it runs: five fields, minute, hour, day of the month, month and day of the week, at least 2 seconds apart; a sixth in front is the second"
  ),
  "Schedule.timezone": standard("The zone of the cron expression, by its IANA name", "UTC"),
  "Schedule.jitter": standard(
    "The most a tick is delayed, up to an hour; each tick has a delay of its own, the same on every worker",
    0,
    "seconds"
  ),
  "Schedule.overlap": standard(
    "What a tick does while the run before has not ended: skip drops it, queue waits, cancel_previous cancels that run and loads what was paid for",
    "skip"
  ),
  "Schedule.catch_up": standard(
    "Which of the ticks that were missed while no worker ran are run: none, the latest, or all within catch_up_window",
    "latest"
  ),
  "Schedule.catch_up_window": optional(
    "With catch_up: all, how far back missed ticks are run, up to 31 days",
    "catch_up is not all",
    "seconds"
  ),
  "Schedule.pause": optional("Times in which no tick runs, and none is caught up", "there is no pause"),
  "Schedule.pause.from": required("When the pause begins: a date, which is UTC, or an instant with its offset"),
  "Schedule.pause.to": required("When the pause ends; a tick at this instant runs")
}

/** Fields that mean the same wherever they are. */
const anywhere: Readonly<Record<string, FieldText>> = {
  formats: standard("What pages are asked for as", ["markdown"]),
  render_js: standard("Run the page in a browser before it is read", false),
  proxy: optional("Where requests for pages leave from", "residential, in a country the API chooses"),
  wait_config: optional("When a page that is rendered counts as ready", "the values below"),
  headers: optional("HTTP headers sent to the servers of pages; secrets, which are never printed", "none of yours"),
  extract_links: standard("List the links of each page", false),
  mode: standard("How an extraction is asked for: async can be found again after a crash, sync cannot", "async"),
  ignore_invalid_urls: standard("Skip URLs that the API calls invalid; false fails the whole job", true),
  batch_size: standard("How many URLs go into one batch job", 1000, "URLs"),
  bucket: required("The bucket, which must exist, without s3:// and slashes; 3 to 255 characters"),
  prefix: standard("What the keys of all objects begin with, ending in a slash, such as crawls/", ""),
  region: optional("The region of the bucket, such as eu-central-1", "AWS_REGION, or the profile of the AWS SDK"),
  endpoint: optional("The address of a store that is not AWS, https://host:port", "AWS"),
  path_style: optional("Name the bucket in the path, not in the host", "true with an endpoint, else false"),
  access_key_id: optional("The key to the bucket; needs secret_access_key", "AWS_* variables, profile or machine role"),
  secret_access_key: optional("The secret of that key, best as a variable", "AWS_* variables, profile or machine role"),
  conditional_writes: standard(
    "none writes to a store without conditional writes: one process at a time may then write a pipeline",
    "required"
  ),
  schema: standard("The Postgres schema of the tables; made if it is missing", "public")
}

const lake: Readonly<Record<string, FieldText>> = {
  mode: standard("append keeps what every run delivered, replace shows readers the last completed run alone", "append"),
  format: standard("JSON Lines, one row a line, or Parquet", "jsonl"),
  compression: optional("How parts are compressed; snappy needs parquet", "gzip for jsonl, zstd for parquet"),
  part_bytes: standard("About how much of pages goes into one part, before compression", 33_554_432, "bytes"),
  success_marker: standard("Write an empty _SUCCESS beside the parts of a run that is published", false)
}

const of = (definition: string, fields: Readonly<Record<string, FieldText>>) =>
  Object.fromEntries(Object.entries(fields).map(([name, text]) => [`${definition}.${name}`, text]))

const sources: Readonly<Record<string, FieldText>> = {
  ...of("Source", {
    crawl: optional("Crawl a site breadth first from one URL", nothing),
    extract: optional("Extract a list of URLs, one call each", nothing),
    batch: optional("Extract a list of URLs in batch jobs", nothing),
    map: optional("Discover the URLs of a site, and extract them if wanted", nothing)
  }),
  ...of("CrawlOptions", {
    url: required("Where the crawl begins, an absolute http or https URL without credentials"),
    depth: standard(
      "How far to follow links; 1 is the first page alone, and a plan may allow less than 10",
      2,
      "levels"
    ),
    limit: optional("The most pages to crawl, and so the most tokens to pay", "the API's own limit", "pages"),
    same_domain_only: optional(
      "Stay on the domain of the first page",
      "as the API decides; true in the embedded scraper"
    ),
    include_subdomains: optional("Follow links to subdomains", "as the API decides; false in the embedded scraper")
  }),
  ...of("ExtractOptions", {
    urls: required("The pages to extract, absolute http or https URLs; a token each, 1 at least"),
    concurrency: standard("How many URLs are in work at once", 4, "URLs")
  }),
  ...of("BatchOptions", {
    urls: required("The pages to extract, absolute http or https URLs; a token each, 1 at least")
  }),
  ...of("MapOptions", {
    url: required("The site to map, an absolute http or https URL"),
    search: optional("Keep only URLs that contain this text, whatever the case", "all URLs"),
    include_subdomains: standard("Count URLs of subdomains to the site", true),
    ignore_query_parameters: standard("Count URLs that differ in their query as one", true),
    allow_empty: standard("Do not fail a run whose map finds nothing", false),
    into: optional("Extract the URLs that are found", "the site is one record with its URLs as links"),
    "into.extract": optional("Extract the URLs one call each", "into.batch is given"),
    "into.batch": optional("Extract the URLs in batch jobs", "into.extract is given"),
    "into.extract.concurrency": standard("How many URLs are in work at once", 4, "URLs")
  }),
  ...of("Proxy", {
    country: optional("The country requests leave from, as two letters such as DE", "the API chooses"),
    type: optional("The kind of addresses requests leave from", "residential")
  }),
  ...of("WaitConfig", {
    wait_until: standard("The event to wait for: commit, domcontentloaded, load", "domcontentloaded"),
    wait_for: optional("A CSS selector of an element to wait for", "no element"),
    wait_timeout: optional("How long to wait at most", "as the API decides", "milliseconds")
  })
}

const policies: Readonly<Record<string, FieldText>> = {
  ...of("Transform", {
    select: optional("Keep the records that every given condition applies to", nothing),
    "select.status": optional("The statuses to keep", "all"),
    "select.url": optional("A glob over the whole URL, such as https://example.com/docs/**", "all"),
    "select.max_depth": optional("The deepest page to keep; the first page is 1", "all", "levels"),
    drop: optional("Members to empty in every record", nothing)
  }),
  ...of("Budget", {
    tokens: optional("The most that one run may cost", "no such bound", "tokens"),
    per_day: optional("The most that all runs begun on one day (UTC) may cost", "no such bound", "tokens"),
    per_month: optional("The most that all runs begun in one month (UTC) may cost", "no such bound", "tokens"),
    per_pipeline: optional("The most that all runs of the pipeline may cost", "no such bound", "tokens"),
    clamp: standard("Cut what is asked for to fit; false cancels a job once it costs too much", true)
  }),
  ...of("Quarantine", {
    max_share: {
      ...required("The share of a sink's records above which a run is not published"),
      unit: "of the records"
    },
    min_records: standard("With fewer records a run is judged only where all became dead letters", 100, "records")
  }),
  ...of("Expectations", {
    min_pages: optional("The least completed pages that each sink must hold", "not expected", "pages"),
    max_failed_share: optional("The largest share of pages that may have failed", "not expected", "of the pages"),
    required: optional("Fields that completed pages must have, not null and not empty", "none"),
    required_share: standard("The share of completed pages that must have them; needs required", 1, "of the pages")
  })
}

const destinations: Readonly<Record<string, FieldText>> = {
  ...of(".sinks", {
    postgres: optional("Load tables of a Postgres, or of an embedded one", nothing),
    s3: optional("Write objects of a bucket", nothing),
    directory: optional("Write files of a local directory, laid out as in a bucket", nothing)
  }),
  ...of("PostgresSinkConfig", {
    url: optional("The server, postgres://user:password@host:port/database", "an embedded database in directory"),
    directory: standard("Where the embedded database is kept; made if it is missing", "./.sluice/postgres"),
    mode: standard(
      "merge keeps the latest of each page, append every job's own, replace the last run, history every version",
      "merge"
    ),
    close_after: standard(
      "How many whole crawls in a row a page may be missing from before it is closed; needs mode history",
      3,
      "crawls"
    ),
    retain: optional("Remove what old runs have left, each time a run has completed", "all runs are kept"),
    "retain.runs": { ...required("How many completed runs to keep"), unit: "runs" },
    synchronous_commit: standard("off answers commits before they are on disk; what a crash loses is read again", "on"),
    name: standard("Distinguishes the sinks of a pipeline", "postgres")
  }),
  ...of("S3SinkConfig", { ...lake, name: standard("Distinguishes the sinks of a pipeline", "s3") }),
  ...of("DirectorySinkConfig", {
    ...lake,
    path: standard("The directory, on a local file system; made if it is missing", "./.sluice/lake"),
    name: standard("Distinguishes the sinks of a pipeline", "directory")
  })
}

const machine: Readonly<Record<string, FieldText>> = {
  ...of("Api", {
    base_url: optional("The address of the API", "the hosted service"),
    key: optional("The API key, best as a variable", "GEONODE_SCRAPER_API_KEY, or the embedded scraper"),
    auth: standard("The header that carries the key", "x-api-key"),
    profile: optional("A profile that sluice probe has written; what the file says wins", "no profile"),
    concurrency: standard("How many requests are in flight at once", 24, "requests"),
    requests_per_second: standard("How many requests are begun at most", 200, "requests a second"),
    give_up_after: standard(
      "How long one outage may last before an attempt ends, at most a day; a bare number is seconds",
      "1 hour"
    ),
    settle_time: standard(
      "How long a job may be unknown, or its pages lag, at most a day; a bare number is seconds",
      "12 minutes"
    )
  }),
  ...of("Embedded", {
    allow_private_targets: standard("Crawl loopback and private addresses too", false),
    host_delay_ms: standard("The least time between two requests to one host", 100, "milliseconds"),
    host_concurrency: standard("How many requests one host gets at once", 2, "requests")
  }),
  ...of("LedgerSettings", {
    url: optional("The server, postgres://user:password@host:port/database", "an embedded database in directory"),
    directory: standard("Where the embedded database is kept; made if it is missing", "./.sluice/postgres")
  }),
  ...of("VaultSettings", {
    directory: optional("Keep results in a local directory", "s3 is given"),
    s3: optional("Keep results in a bucket", "directory is given")
  }),
  ...of("DirectoryVaultConfig", {
    path: standard("The directory, on a local file system; made if it is missing", "./.sluice/vault")
  }),
  ...of("SpoolConfig", {
    path: standard("The directory, on a local file system; made if it is missing", "./.sluice/spool"),
    max_bytes: standard(
      "About how much of pages may wait; past it the source is read no further",
      10_737_418_240,
      "bytes"
    )
  })
}

/** What the fields of a pipeline file are for: by definition and name, or by name alone where they mean the same anywhere. */
export const fieldTexts: Readonly<Record<string, FieldText>> = {
  ...anywhere,
  ...topLevel,
  ...notify,
  ...schedule,
  ...sources,
  ...policies,
  ...destinations,
  ...machine
}
