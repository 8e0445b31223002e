import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { parseArgs, promisify } from "node:util"
import { Console, Effect } from "effect"
import { corpus, type Sample } from "../extract/Corpus.ts"
import { type Candidate, candidates } from "../extract/candidates.ts"
import { type Extent, within } from "../extract/Expectation.ts"
import { hugePages } from "../extract/hugePages.ts"
import { installed } from "../extract/installed.ts"
import { manualPages, seeds } from "../extract/manuals.ts"
import { renderMarkdown } from "../extract/RenderedMarkdown.ts"
import { roundTripDifference } from "../extract/roundTrip.ts"
import { mean, meanOf, measures, type Scores, score } from "../extract/Score.ts"

// How much of what pages say survives as Markdown, beside other ways from HTML to Markdown. Scores are out of 100 and come out the same
// each time; times do not.
// With --huge, time and memory of pages that are large or made to be slow instead, each in a process of its own that has 30 s.
// node test/bench/extract.ts [--huge] [--extent page|main] [--kinds] [--worst 10] [--only name] [--corpus kept|installed|manuals|all] [--seed open|sealed] [--each 8] [--show page]

const { values: flags } = parseArgs({
  options: {
    extent: { type: "string" },
    kinds: { type: "boolean", default: false },
    worst: { type: "string", default: "0" },
    only: { type: "string", default: "" },
    corpus: { type: "string", default: "all" },
    each: { type: "string", default: "8" },
    seed: { type: "string", default: "open" },
    show: { type: "string" },
    huge: { type: "boolean", default: false }
  }
})

interface Result {
  readonly sample: Sample
  readonly scores: Scores
  readonly overall: number
  readonly ms: number
  readonly failed: boolean
}

const convert = async ({ convert }: Candidate, { html, url }: Sample) => {
  const started = performance.now()
  const markdown = await new Promise<string>((resolve) => resolve(convert(html, url))).catch(() => undefined)
  return { markdown, ms: performance.now() - started }
}

const judge = (candidate: Candidate, sample: Sample) =>
  Effect.promise(async (): Promise<Result> => {
    const { markdown, ms } = await convert(candidate, sample)
    const all = score(within(candidate.extent, sample.expected), renderMarkdown(markdown ?? "", sample.url))
    const isTextOnly = sample.isTextOnly === true && candidate.extent === "main"
    const scores = isTextOnly ? { kept: all.kept ?? 0, clean: all.clean ?? 0, order: all.order ?? 1 } : all
    if (flags.show === sample.name) process.stdout.write(`${candidate.name}\n${markdown}\n${JSON.stringify(scores)}\n`)
    return { sample, scores, overall: meanOf(scores), ms, failed: markdown === undefined }
  })

const percent = (value: number) => (value * 100).toFixed(1)
const columns = (name: string, cells: ReadonlyArray<string>) =>
  [name.padEnd(28), ...cells.map((cell) => cell.padStart(9))].join("")

const line = (name: string, results: ReadonlyArray<Result>) => {
  const of = (measure: (typeof measures)[number]) => results.flatMap(({ scores }) => scores[measure] ?? [])
  const failed = results.filter((each) => each.failed).length
  return columns(name, [
    percent(mean(results.map(({ overall }) => overall))),
    ...measures.map((measure) => (of(measure).length === 0 ? "-" : percent(mean(of(measure))))),
    mean(results.map(({ ms }) => ms)).toFixed(1),
    failed === 0 ? "" : `${failed} failed`
  ])
}

const byScore = (a: readonly [Candidate, ReadonlyArray<Result>], b: readonly [Candidate, ReadonlyArray<Result>]) =>
  mean(b[1].map(({ overall }) => overall)) - mean(a[1].map(({ overall }) => overall))

const table = Effect.fnUntraced(function* (extent: Extent, samples: ReadonlyArray<Sample>) {
  const rows: Array<readonly [Candidate, ReadonlyArray<Result>]> = []
  for (const candidate of candidates.filter((each) => each.extent === extent && each.name.includes(flags.only))) {
    // Once for nothing, so that nobody is the one who starts cold.
    for (const sample of samples.slice(0, 10)) yield* Effect.promise(() => convert(candidate, sample))
    rows.push([candidate, yield* Effect.forEach(samples, (sample) => judge(candidate, sample))])
  }
  rows.sort(byScore)
  yield* Console.log(`\n${extent === "page" ? "The whole page" : "The main content"}, ${samples.length} pages`)
  yield* Console.log(columns("", ["overall", ...measures, "ms/page"]))
  for (const [candidate, results] of rows) yield* Console.log(line(candidate.name, results))
  if (flags.kinds) {
    for (const kind of new Set(samples.map((each) => each.kind))) {
      yield* Console.log(`\n${kind}`)
      for (const [candidate, results] of rows) {
        yield* Console.log(
          line(
            candidate.name,
            results.filter(({ sample }) => sample.kind === kind)
          )
        )
      }
    }
  }
  const worst = Number(flags.worst)
  if (worst > 0) {
    for (const [candidate, results] of rows) {
      yield* Console.log(`\nWhat ${candidate.name} loses most of`)
      for (const each of results.toSorted((a, b) => a.overall - b.overall).slice(0, worst)) {
        const lost = measures.filter((measure) => (each.scores[measure] ?? 1) < 0.98)
        yield* Console.log(
          `  ${each.sample.name.padEnd(30)} ${percent(each.overall).padStart(6)}  ${lost.map((measure) => `${measure} ${percent(each.scores[measure] ?? 0)}`).join(", ")}`
        )
      }
    }
  }
})

/** How many pages say the same once their Markdown is read back. */
const roundTrip = Effect.fnUntraced(function* (samples: ReadonlyArray<Sample>) {
  const different = samples.flatMap((sample) => {
    const difference = roundTripDifference(sample)
    return difference === undefined ? [] : [`  ${sample.name}: ${difference}`]
  })
  const same = samples.length - different.length
  yield* Console.log(`\nRead back, ${same} of ${samples.length} pages say what a browser shows, but for white space`)
  for (const each of different.slice(0, Number(flags.worst))) yield* Console.log(each)
})

const execute = promisify(execFile)
const convertHuge = fileURLToPath(new URL("../extract/convertHuge.ts", import.meta.url))

/** The time and the memory that it took, or how it ended. */
const endOf = async (candidate: Candidate, page: string): Promise<string> => {
  try {
    const { stdout } = await execute(process.execPath, [convertHuge, candidate.name, page], { timeout: 30_000 })
    const { length, mb, ms }: { readonly length: number; readonly mb: number; readonly ms: number } = JSON.parse(stdout)
    return length === 0 ? "nothing" : `${(ms / 1000).toFixed(1)} s, ${mb.toFixed(0)} MB`
  } catch (error) {
    const { killed, stderr } = error as { readonly killed?: boolean; readonly stderr?: string }
    if (killed === true) return "over 30 s"
    return /call stack/i.test(stderr ?? "")
      ? "stack overflow"
      : /heap out of memory/.test(stderr ?? "")
        ? "out of memory"
        : "died"
  }
}

const huge = Effect.gen(function* () {
  const rated = candidates.filter((each) => each.extent === "page" && each.name.includes(flags.only))
  for (const { html, name } of hugePages()) {
    yield* Console.log(`\n${name} (${(html.length / 1e6).toFixed(1)} MB)`)
    for (const candidate of rated) {
      const end = yield* Effect.promise(() => endOf(candidate, name))
      yield* Console.log(`  ${candidate.name.padEnd(28)}${end}`)
    }
  }
})

const compareManuals = Effect.gen(function* () {
  const { missing, samples } = yield* manualPages(
    flags.seed === "sealed" ? seeds.sealed : seeds.open,
    Number(flags.each)
  )
  for (const reason of missing) yield* Console.log(`Left out: ${reason}`)
  yield* table("page", samples)
  yield* roundTrip(samples)
})

const compare = Effect.gen(function* () {
  const kept = flags.corpus === "installed" ? [] : corpus()
  const found = flags.corpus === "kept" ? { samples: [], missing: [] } : yield* installed(Number(flags.each))
  for (const reason of found.missing) yield* Console.log(`Left out: ${reason}`)
  const samples = [...kept, ...found.samples]
  for (const extent of ["page", "main"] as const) {
    if (flags.extent === undefined || flags.extent === extent) yield* table(extent, samples)
  }
  yield* roundTrip(samples)
})

Effect.runPromise(Effect.scoped(flags.huge ? huge : flags.corpus === "manuals" ? compareManuals : compare))
