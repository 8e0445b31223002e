import { candidates } from "./candidates.ts"
import { hugePages } from "./hugePages.ts"

// Converts one huge page with one candidate, in a process of its own, whose memory is then its own.
// node test/extract/convertHuge.ts <candidate> <page>

const [, , name, page] = process.argv
const candidate = candidates.find((each) => each.name === name && each.extent === "page")
const html = hugePages().find((each) => each.name === page)?.html
if (candidate !== undefined && html !== undefined) {
  const before = process.resourceUsage().maxRSS
  const started = performance.now()
  const markdown = await candidate.convert(html, "https://huge.example/")
  process.stdout.write(
    JSON.stringify({
      ms: performance.now() - started,
      mb: (process.resourceUsage().maxRSS - before) / 1024,
      length: markdown.length
    })
  )
}
