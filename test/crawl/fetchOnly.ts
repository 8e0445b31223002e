import { parseArgs } from "node:util"
import { Agent, request } from "undici"

// The least that a crawl can do: fetch, look for links, go on; hosts and delays as the server keeps them. Nothing is converted
// and nothing kept. Prints how many pages it had, and the seconds.
// node test/crawl/fetchOnly.ts --url http://127.0.0.2:8080/ --limit 5000 --delay 500

const { values: flags } = parseArgs({
  options: {
    url: { type: "string", default: "" },
    limit: { type: "string", default: "5000" },
    delay: { type: "string", default: "500" },
    concurrency: { type: "string", default: "64" }
  }
})
const limit = Number(flags.limit)
const delay = Number(flags.delay)

const agent = new Agent({ connections: 2 })
const known = new Set<string>()
const hosts = new Map<string, { readonly waiting: Array<string>; next: number; isTimed: boolean }>()
let open = 0
let had = 0

const find = (url: string) => {
  if (known.size >= limit || known.has(url)) return
  known.add(url)
  const { host } = new URL(url)
  const queue = hosts.get(host) ?? { waiting: [], next: 0, isTimed: false }
  hosts.set(host, queue)
  queue.waiting.push(url)
  turn(host)
}

const turn = (host: string) => {
  const queue = hosts.get(host)
  if (queue === undefined || queue.isTimed || queue.waiting.length === 0) return
  queue.isTimed = true
  setTimeout(
    () => {
      queue.isTimed = false
      const url = open < Number(flags.concurrency) ? queue.waiting.shift() : undefined
      queue.next = performance.now() + (url === undefined ? 1 : delay)
      if (url !== undefined) void load(url)
      turn(host)
    },
    Math.max(0, queue.next - performance.now())
  )
}

const load = async (url: string) => {
  open++
  const { body } = await request(url, { dispatcher: agent })
  const html = await body.text()
  open--
  had++
  for (const [, href] of html.matchAll(/href="([^"]+)"/g)) find(new URL(href ?? "", url).href)
  if (had === known.size) {
    process.stdout.write(`${JSON.stringify({ pages: had, seconds: (performance.now() - startedAt) / 1000 })}\n`)
    await agent.close()
  }
}

const startedAt = performance.now()
find(flags.url)
