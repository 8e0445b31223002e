import { createServer } from "node:http"
import { parseArgs } from "node:util"

// A site of many hosts, each an address of its own on loopback, one port for all. It remembers when it was asked for what;
// GET /_report on the first address tells, and forgets what it knew of gaps with ?reset.
// node test/crawl/ManyHosts.ts --hosts 50 --pages 100 --delay 500

/** What the site says of the requests for its pages. Times in milliseconds. */
export interface SiteReport {
  readonly requests: number
  readonly distinct: number
  /** The most requests for one page. */
  readonly most: number
  /** The shortest time between two requests to one host, robots.txt included. */
  readonly shortestGap: number
  /** The time between two requests to one host that half of all stay below: one that came late says nothing of it. */
  readonly medianGap: number
  /** How many of them were shorter than the delay less what clocks and sockets blur. */
  readonly violations: number
}

/** By how much two requests may come closer than they were sent: timers and sockets of two processes on a busy machine. */
const blurMs = 25

const words = "the crawl lands each page once and says so in a receipt that anybody can check again later on".split(" ")
const sentence = (seed: number) =>
  Array.from({ length: 14 }, (_, at) => words[(seed * 7 + at * (1 + (seed % 5))) % words.length]).join(" ")

/** A page like those of a small site: navigation, some paragraphs, a table, and links to two further pages and to a neighbour. */
const page = (hosts: ReadonlyArray<string>, pages: number, host: number, at: number): string => {
  const seed = host * pages + at
  const children = [2 * at + 1, 2 * at + 2].filter((child) => child < pages).map((child) => `/p${child}`)
  const others = at === 0 && host === 0 ? hosts.slice(1) : [hosts[(host + 1) % hosts.length] ?? ""]
  const links = [...children, "/", ...others.map((origin) => `${origin}/${at === 0 ? "" : `p${at}`}`)]
  return `<!doctype html><html><head><title>Page ${at} of ${host}</title><style>body{margin:0}</style></head><body>
<nav><ul>${links.map((link) => `<li><a href="${link}">${link}</a></li>`).join("")}</ul></nav>
<main><h1>Page ${at} of host ${host}</h1>
${Array.from({ length: 24 }, (_, n) => `<p>${sentence(seed + n)}. <em>${sentence(seed + n + 1)}</em>.</p>`).join("\n")}
<table><tr><th>n</th><th>text</th></tr>
${Array.from({ length: 10 }, (_, n) => `<tr><td>${n}</td><td>${sentence(seed * 3 + n)}</td></tr>`).join("\n")}</table>
</main><footer>${sentence(seed)}</footer></body></html>`
}

const { values: flags } = parseArgs({
  options: {
    hosts: { type: "string", default: "50" },
    pages: { type: "string", default: "100" },
    delay: { type: "string", default: "500" }
  }
})
const pages = Number(flags.pages)
const delay = Number(flags.delay)
const addresses = Array.from({ length: Number(flags.hosts) }, (_, at) => `127.0.0.${at + 2}`)

let hits = new Map<string, number>()
let gaps: Array<number> = []
const last = new Map<string, number>()

const report = (): SiteReport => ({
  requests: [...hits.values()].reduce((sum, each) => sum + each, 0),
  distinct: hits.size,
  most: Math.max(0, ...hits.values()),
  shortestGap: gaps.reduce((least, gap) => Math.min(least, gap), Number.POSITIVE_INFINITY),
  medianGap: gaps.toSorted((a, b) => a - b)[gaps.length >> 1] ?? Number.POSITIVE_INFINITY,
  violations: gaps.filter((gap) => gap < delay - blurMs).length
})

const listen = (address: string, host: number, port: number): Promise<number> =>
  new Promise((settle, fail) => {
    const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      const path = request.url ?? "/"
      if (path.startsWith("/_report")) {
        response.end(JSON.stringify(report()))
        if (path.endsWith("?reset")) {
          hits = new Map()
          gaps = []
          last.clear()
        }
        return
      }
      const now = performance.now()
      const before = last.get(address)
      if (before !== undefined) gaps.push(now - before)
      last.set(address, now)
      const at = path === "/" ? 0 : Number(/^\/p(\d+)$/.exec(path)?.[1] ?? "-1")
      if (at < 0 || at >= pages) {
        response.writeHead(404).end()
        return
      }
      const key = `${address}${path}`
      hits.set(key, (hits.get(key) ?? 0) + 1)
      const origins = addresses.map((each) => `http://${each}:${used}`)
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page(origins, pages, host, at))
    })
    server.on("error", fail)
    server.listen(port, address, () => {
      const bound = server.address()
      settle(bound !== null && typeof bound === "object" ? bound.port : 0)
    })
  })

const used = await listen(addresses[0] ?? "", 0, 0)
for (const [host, address] of addresses.entries()) if (host > 0) await listen(address, host, used)
process.stdout.write(`http://${addresses[0]}:${used}\n`)
