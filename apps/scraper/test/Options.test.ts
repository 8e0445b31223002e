import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, expect, it } from "@effect/vitest"
import { withDefaults } from "../src/ScraperConfig.ts"
import { optionPage, options } from "./optionTable.ts"

const manual = readFileSync(new URL("../../../docs/reference/scraper.md", import.meta.url), "utf8")
const main = fileURLToPath(new URL("../src/main.ts", import.meta.url))

describe("the documentation", () => {
  it("names every flag of the command, and no other", () => {
    const { stdout } = spawnSync(process.execPath, [main, "--help"], { encoding: "utf8" })
    const flags = stdout.slice(stdout.indexOf("\nFLAGS"), stdout.indexOf("GLOBAL FLAGS"))
    const offered = Array.from(flags.matchAll(/^\s+(--[a-z-]+)/gm), ([, flag]) => flag)
    const table = /## Flags\n(.*?)\n## /s.exec(manual)?.[1] ?? ""
    const listed = Array.from(table.matchAll(/^\| `(--[a-z-]+)`/gm), ([, flag]) => flag)
    assert.isAbove(offered.length, 15)
    assert.sameMembers(listed, offered)
  })

  it("names every variable that the command reads", () => {
    const source = readFileSync(main, "utf8")
    for (const [, name = ""] of source.matchAll(/Config\.\w+\("([A-Z_]+)"\)/g)) {
      assert.include(manual, `\`${name}\``)
    }
  })

  // `vitest run -u` writes the page anew.
  it("lists every option, with its default", async () => {
    assert.sameMembers(
      options.map(({ name }) => name),
      Object.keys(withDefaults({ apiKeys: [] }))
    )
    await expect(optionPage).toMatchFileSnapshot("../../../docs/reference/scraper-options.md")
  })
})
