import { readFileSync, writeFileSync } from "node:fs"
import { Console, Effect } from "effect"
import { browser } from "./Browser.ts"
import { pages } from "./pages.ts"

// Asks a browser anew what the pages of the corpus show, for a person to read before it is committed.
// node test/extract/expect.ts [part of a name]

const fixture = (name: string) => new URL(`./fixtures/${name}`, import.meta.url)

const one = (value: unknown) => `    ${JSON.stringify(value)}`
const lines = (told: Readonly<Record<string, unknown>>) =>
  Object.entries(told)
    .map(([key, all]) => `  ${JSON.stringify(key)}: [\n${(all as ReadonlyArray<unknown>).map(one).join(",\n")}\n  ]`)
    .join(",\n")

const main = Effect.gen(function* () {
  const ask = yield* browser
  for (const page of pages.filter(({ name }) => name.includes(process.argv[2] ?? ""))) {
    const told = yield* ask(readFileSync(fixture(`${page.name}.html`), "utf8"), page.url, page)
    writeFileSync(fixture(`${page.name}.json`), `{\n${lines(told)}\n}\n`)
    yield* Console.log(
      `${page.name}: ${told.text.length} blocks, ${told.links.length} links, ${told.tables.length} tables, ${told.code.length} code`
    )
  }
})

Effect.runPromise(Effect.scoped(main))
