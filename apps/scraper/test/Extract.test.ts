import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { isTerminal } from "@sluice/contract"
import { Effect } from "effect"
import { type Client, clientOf, keys, raw, testScraper, testServer, until } from "./TestScraper.ts"
import { gate, page, redirect, testSite } from "./TestSite.ts"

const sync = (client: Client, url: string, formats: ReadonlyArray<"markdown" | "html"> = ["markdown"]) =>
  Effect.flatMap(client.extract.createExtraction({ payload: { url, formats } }), (answer) =>
    "data" in answer ? Effect.succeed(answer) : Effect.die("not synchronous")
  )

/** The envelope a synchronous extraction was refused with. */
const refusal = (client: Client, url: string) =>
  Effect.map(Effect.flip(sync(client, url)), (error) =>
    "code" in error ? error : { code: "?", message: String(error) }
  )

describe("extract", () => {
  it.live("answers at once when synchronous", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/from": redirect("/to"), "/to": page("Title", "/x", "/x#y") })
      const client = yield* testScraper()
      const answer = yield* client.extract.createExtraction({
        payload: {
          url: site.url("/from"),
          formats: ["markdown", "html"],
          extract_links: true,
          headers: { "X-Trace": "t1", Host: "evil.example", Connection: "upgrade", "User-Agent": "mine/1" }
        }
      })
      assert.deepInclude(answer, {
        data: {
          markdown: `# Title\n\n[/x](${site.url("/x")}) [/x#y](${site.url("/x#y")})\n`,
          html: page("Title", "/x", "/x#y"),
          links: [site.url("/x")]
        },
        tokens_charged: 1
      })
      assert.deepInclude("metadata" in answer ? answer.metadata : {}, {
        url: site.url("/to"),
        http_status: 200,
        retry_count: 0,
        render_js: false,
        processing_mode: "sync"
      })
      const sent = site.lastHeaders("/to")
      assert.strictEqual(sent?.["x-trace"], "t1")
      assert.strictEqual(sent?.["user-agent"], "mine/1")
      assert.strictEqual(sent?.host, new URL(site.origin).host)
    })
  )

  it.live("gives only what was asked for", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("Title", "/x") })
      const { data } = yield* sync(yield* testScraper(), site.url("/"), ["html"])
      assert.deepStrictEqual(data, { markdown: null, html: page("Title", "/x"), links: null })
      assert.strictEqual(site.lastHeaders("/")?.["user-agent"], "sluice-scraper/0.1.0")
    })
  )

  it.live("can be polled when asynchronous, and is listed", () =>
    Effect.gen(function* () {
      const slow = gate(page("Slow"))
      const site = yield* testSite({ "/slow": slow.route })
      const baseUrl = yield* testServer()
      const client = yield* clientOf(baseUrl)
      const accept = (url: string) =>
        Effect.flatMap(client.extract.createExtraction({ payload: { url, processing_mode: "async" } }), (answer) =>
          "job_id" in answer ? Effect.succeed(answer) : Effect.die("not asynchronous")
        )
      const { job_id, ...accepted } = yield* accept(site.url("/slow"))
      assert.deepStrictEqual(accepted, { status: "queued", status_url: `/v1/extract/${job_id}`, estimated_tokens: 1 })
      const get = (id: typeof job_id) => client.extract.getExtractionJob({ params: { job_id: id } })
      yield* until(
        Effect.sync(() => site.hits("/slow")),
        (hits) => hits === 1
      )
      assert.deepInclude(yield* get(job_id), {
        status: "processing",
        completed_at: null,
        data: null,
        metadata: null,
        error: null,
        tokens_charged: null
      })
      slow.open()
      const done = yield* until(get(job_id), (job) => isTerminal(job.status))
      assert.deepInclude(done, {
        status: "completed",
        data: { markdown: "# Slow\n", html: null, links: null },
        error: null,
        tokens_charged: 1
      })
      const bad = yield* accept(site.url("/gone"))
      const failed = yield* until(get(bad.job_id), (job) => isTerminal(job.status))
      assert.deepInclude(failed, { status: "failed", data: null, tokens_charged: 0 })
      assert.deepInclude(failed.error, { code: "HTTP_ERROR", retryable: false })

      const list = (query: Parameters<typeof client.extract.listExtractionJobs>[0]["query"]) =>
        Effect.map(client.extract.listExtractionJobs({ query }), (answer) => answer.jobs.map((job) => job.job_id))
      assert.deepStrictEqual(yield* list({}), [bad.job_id, job_id])
      assert.deepStrictEqual(yield* list({ status: "failed" }), [bad.job_id])
      assert.deepStrictEqual(yield* list({ job_id }), [job_id])
      assert.deepStrictEqual(yield* list({ url: "/slow" }), [job_id])
      assert.deepStrictEqual(yield* list({ output: "html" }), [])
      assert.deepStrictEqual(yield* list({ page: 2, page_size: 1 }), [job_id])
      const stranger = yield* clientOf(baseUrl, keys[1])
      assert.deepInclude(yield* Effect.flip(stranger.extract.getExtractionJob({ params: { job_id } })), {
        code: "NOT_FOUND"
      })
    })
  )

  it.live("names the reason of every failure", () =>
    Effect.gen(function* () {
      const site = yield* testSite({
        "/pdf": { headers: { "content-type": "application/pdf" }, body: "%PDF" },
        "/big": { body: "x".repeat(5000) },
        "/bomb": { headers: { "content-encoding": "gzip" }, body: gzipSync("x".repeat(5000)) },
        "/never": () => undefined,
        "/drip": (_, response) => void response.writeHead(200, { "content-type": "text/html" }).write("<p>"),
        "/busy": { status: 429 },
        "/broken": { status: 503 },
        "/hop": redirect("/hop"),
        "/mail": redirect("mailto:x@y.example"),
        "/cut": {
          headers: { "content-encoding": "gzip" },
          body: gzipSync(Array.from({ length: 200 }, (_, at) => at * at).join()).subarray(0, 99)
        }
      })
      const client = yield* testScraper({ maxPageBytes: 4096, pageTimeoutMs: 500, retries: 1, maxRedirects: 3 })
      const code = (path: string) => Effect.map(refusal(client, site.url(path)), (error) => error.code)
      assert.strictEqual(yield* code("/pdf"), "UNSUPPORTED_CONTENT_TYPE")
      assert.strictEqual(yield* code("/big"), "PAGE_TOO_LARGE")
      assert.strictEqual(yield* code("/bomb"), "PAGE_TOO_LARGE")
      assert.strictEqual(yield* code("/never"), "TIMEOUT")
      assert.strictEqual(yield* code("/drip"), "TIMEOUT")
      assert.strictEqual(yield* code("/busy"), "RATE_LIMITED")
      assert.strictEqual(yield* code("/broken"), "HTTP_ERROR")
      assert.strictEqual(yield* code("/hop"), "TOO_MANY_REDIRECTS")
      assert.strictEqual(yield* code("/mail"), "INVALID_REDIRECT")
      assert.strictEqual(yield* code("/cut"), "CONVERSION_ERROR")
      assert.strictEqual((yield* refusal(client, "http://127.0.0.1:9/")).code, "CONNECTION_ERROR")
      assert.deepStrictEqual(["/pdf", "/never", "/busy", "/broken", "/hop"].map(site.hits), [1, 2, 2, 2, 1])
    })
  )

  it.live("repeats what may pass and tells how often", () =>
    Effect.gen(function* () {
      let calls = 0
      const site = yield* testSite({
        "/": (request, response) => {
          if (++calls === 1) request.socket.destroy()
          else if (calls === 2) response.writeHead(503, { "retry-after": "0" }).end()
          else response.writeHead(200, { "content-type": "text/html" }).end("<p>at last")
        }
      })
      const answer = yield* sync(yield* testScraper(), site.url("/"))
      assert.strictEqual(answer.data.markdown, "at last\n")
      assert.strictEqual(answer.metadata.retry_count, 2)
    })
  )

  it.live("decodes what it gets", () =>
    Effect.gen(function* () {
      const latin = Buffer.from("<p>caf\u00e9", "latin1")
      const site = yield* testSite({
        "/header": { headers: { "content-type": "text/html; charset=ISO-8859-1" }, body: latin },
        "/meta": { body: Buffer.concat([Buffer.from('<meta charset="windows-1252">'), latin]) },
        "/none": { body: latin },
        "/utf8": { body: "<p>caf\u00e9" },
        "/bom": {
          headers: { "content-type": "text/html; charset=ascii" },
          body: Buffer.from("\ufeff<p>caf\u00e9", "utf16le")
        },
        "/jis": {
          headers: { "content-type": "text/html; charset=shift_jis" },
          body: Buffer.from([0x3c, 0x70, 0x3e, 0x93, 0xfa, 0x96, 0x7b])
        },
        "/gzip": { headers: { "content-encoding": "gzip" }, body: gzipSync("<p>caf\u00e9") },
        "/plain": { headers: { "content-type": "text/plain; charset=utf-8" }, body: "a <b> *c*" },
        "/xhtml": {
          headers: { "content-type": "application/xhtml+xml" },
          body: "<html><body><p>caf\u00e9</p></body></html>"
        }
      })
      const client = yield* testScraper()
      const text = (path: string) => Effect.map(sync(client, site.url(path)), ({ data }) => data.markdown)
      for (const path of ["/header", "/meta", "/none", "/utf8", "/bom", "/gzip", "/xhtml"]) {
        assert.strictEqual(yield* text(path), "caf\u00e9\n", path)
      }
      assert.strictEqual(yield* text("/jis"), "\u65e5\u672c\n")
      assert.strictEqual(yield* text("/plain"), "a <b> *c*")
    })
  )

  it.live("does not fetch what is not public, by address, name or redirect", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("secret") })
      const { port } = new URL(site.origin)
      const client = yield* testScraper({ allowPrivateTargets: false, retries: 0 })
      for (const host of [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "10.0.0.1",
        "169.254.169.254"
      ]) {
        assert.strictEqual((yield* refusal(client, `http://${host}:${port}/`)).code, "BLOCKED_TARGET", host)
      }
      assert.deepStrictEqual(site.hits("/robots.txt") + site.hits("/"), 0)
      const { job_id } = yield* client.crawl.createCrawl({ payload: { url: site.url("/") } })
      const job = yield* until(client.crawl.getCrawl({ params: { job_id }, query: {} }), ({ status }) =>
        isTerminal(status)
      )
      assert.strictEqual(job.status, "failed")
      assert.strictEqual(job.results[0]?.error_code, "BLOCKED_TARGET")
    })
  )

  it.live("refuses what it cannot do", () =>
    Effect.gen(function* () {
      const baseUrl = yield* testServer({ chromium: "none" })
      const client = yield* clientOf(baseUrl)
      for (const url of ["nonsense", "ftp://example.com/", "http://user:secret@example.com/"]) {
        assert.strictEqual((yield* refusal(client, url)).code, "VALIDATION_ERROR", url)
      }
      const rendered = yield* raw(`${baseUrl}/v1/extract`, {
        method: "POST",
        headers: { "x-api-key": keys[0], "content-type": "application/json" },
        body: JSON.stringify({ url: "http://example.com/", render_js: true })
      })
      assert.strictEqual(rendered.status, 422)
      assert.deepInclude(rendered.body, { code: "VALIDATION_ERROR", retryable: false })
    })
  )
})
