import { relative } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { build, stop } from "esbuild"
import { bundling } from "./setup/bundles.ts"

const entry = fileURLToPath(new URL("../apps/runner/src/cli.ts", import.meta.url))

/** The modules that come with a program before its first line runs; what it imports when it needs it is not among them. */
const loadedFirst = async (): Promise<ReadonlySet<string>> => {
  const { metafile } = await build({
    ...bundling,
    entryPoints: [entry],
    outdir: "unwritten",
    metafile: true
  })
  await stop()
  const reached = new Set<string>()
  const reach = (path: string): void => {
    if (reached.has(path)) return
    reached.add(path)
    for (const { kind, path: next } of metafile.inputs[path]?.imports ?? []) if (kind !== "dynamic-import") reach(next)
  }
  reach(relative(process.cwd(), entry))
  return reached
}

describe("a command that needs neither S3, nor Parquet, nor a scraper", () => {
  it("loads none of them", { timeout: 60_000 }, async () => {
    const modules = [...(await loadedFirst())]
    assert.isAbove(modules.length, 200, "the graph was not read")
    assert.include(modules.join("\n"), "packages/sink-s3/src/S3Sink.ts")
    const heavy =
      /@aws-sdk|@smithy|hyparquet|apps\/scraper|\/undici\/|playwright-core|@electric-sql\/pglite|libpg-query|fs-native-extensions/
    assert.deepStrictEqual(
      modules.filter((path) => heavy.test(path)),
      []
    )
  })
})
