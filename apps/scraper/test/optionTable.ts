import { readFileSync } from "node:fs"
import { withDefaults } from "../src/ScraperConfig.ts"

/** An option of `ScraperConfig`, as its doc comment tells of it. */
export interface Option {
  readonly name: string
  readonly text: string
}

const source = readFileSync(new URL("../src/ScraperConfig.ts", import.meta.url), "utf8")
const members = /export interface ScraperConfig \{(.*?)^\}/ms.exec(source)?.[1] ?? ""

/** Every option, in the order of the source. */
export const options: ReadonlyArray<Option> = Array.from(
  members.matchAll(/\/\*\* (.*?) \*\/\s+readonly (\w+)\??:/gs),
  ([, text = "", name = ""]) => ({ name, text: text.replace(/\s+/g, " ") })
)

const defaults: Readonly<Record<string, unknown>> = { ...withDefaults({ apiKeys: [] }) }

const shown = (value: unknown): string => {
  if (value === undefined || value === Number.POSITIVE_INFINITY || Array.isArray(value)) return ""
  return typeof value === "number" ? value.toLocaleString("en-US") : `\`${String(value)}\``
}

/** The page of the reference that lists them. */
export const optionPage = [
  "# Every option of the scraper",
  "",
  "What `serve` of `@sluice/scraper` takes. Times are milliseconds unless a name says otherwise. Where the command has a flag, the",
  "[table of flags](scraper.md#flags) names it.",
  "",
  "| Option | Default | What |",
  "|---|---|---|",
  ...options.map(
    ({ name, text }) =>
      `| \`${name}\` | ${shown(defaults[name])} | ${text.replace(/ Default:? .*$/, "").replaceAll("|", "\\|")} |`
  ),
  ""
].join("\n")
