import { randomUUID } from "node:crypto"
import { createServer } from "node:http"
import { makePages } from "./pages.ts"

// A server of one crawl that ended long ago, in a process of its own and with its answers made beforehand, so that it is not
// what a loader waits for. node test/bench/finishedCrawl.ts PAGES LINKS SIZE LATENCY_MS; prints its address.

const [pages, links, size, latency] = process.argv.slice(2).map(Number) as [number, number, number, number]
const pageAt = makePages({ pages, links, size })
const results = Array.from({ length: pages }, (_, at) => {
  const page = pageAt("", at)
  return Buffer.from(
    JSON.stringify({
      url: page.url,
      parent_url: page.parentUrl,
      depth: page.depth,
      status: page.status,
      error_code: null,
      error_message: null,
      links: page.links,
      data: { markdown: page.markdown, html: null },
      metadata: { http_status: 200, duration_ms: 120, retry_count: 0, tokens_charged: 1 }
    })
  )
})
const comma = Buffer.from(",")
const end = Buffer.from("]}")

const statusOf = (jobId: string) => ({
  job_id: jobId,
  url: "https://site.example/",
  status: "completed",
  total_pages: pages,
  completed_pages: pages,
  failed_pages: 0,
  cancelled_pages: 0,
  created_at: "2026-01-01T00:00:00Z",
  completed_at: "2026-01-01T00:10:00Z",
  token_summary: { tokens_charged_total: pages, tokens_reserved: 0 }
})

const rowsOf = (page: number, pageSize: number): Buffer =>
  Buffer.concat(
    results.slice((page - 1) * pageSize, page * pageSize).flatMap((row, at) => (at === 0 ? [row] : [comma, row]))
  )
const largest = 50
/** The slices everybody reads. */
const slices = Array.from({ length: Math.ceil(pages / largest) }, (_, at) => rowsOf(at + 1, largest))

/** The pieces of an answer. */
const sliceOf = (jobId: string, page: number, pageSize: number): ReadonlyArray<Buffer> => [
  Buffer.from(JSON.stringify(statusOf(jobId)).replace(/\}$/, ',"results":[')),
  (pageSize === largest ? slices[page - 1] : undefined) ?? rowsOf(page, pageSize),
  end
]

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://localhost")
  const answer = (status: number, pieces: ReadonlyArray<Buffer | string>) => {
    const length = pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0)
    response.writeHead(status, { "content-type": "application/json", "content-length": length })
    for (const piece of pieces) response.write(piece)
    response.end()
  }
  const serve = () => {
    if (request.method === "POST") {
      const job_id = randomUUID()
      answer(202, [JSON.stringify({ job_id, url: "https://site.example/", status: "queued", status_url: "/" })])
      return
    }
    const jobId = url.pathname.split("/").at(-1) ?? ""
    const { searchParams } = url
    answer(200, sliceOf(jobId, Number(searchParams.get("page") ?? 1), Number(searchParams.get("page_size") ?? 10)))
  }
  request.resume()
  if (latency > 0) setTimeout(serve, latency)
  else serve()
})
server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  if (typeof address === "object" && address !== null) process.stdout.write(`http://127.0.0.1:${address.port}\n`)
})
