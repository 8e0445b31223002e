/**
 * Compares what each package's entry points export with the reports in its `api` folder. Needs built packages.
 * Usage: `pnpm check:api`, and `pnpm api:update` to write the reports. Exits with 1 where a report differs or where a signature
 * names a type that no entry point of its package exports.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor"
import { repositoryRoot } from "../house/SourceTree.ts"
import { exportedNames, unnamedTypes } from "./reportedNames.ts"
import { sortUnions } from "./sortUnions.ts"

const packages = ["contract", "core", "sink-postgres", "sink-s3", "testkit"]
/** The tables in drizzle's types: 2,300 lines, of which the migrations say all that matters. */
const tables = "./schema"
const isUpdate = process.argv.includes("--update")
const say = (line: string) => process.stdout.write(`${line}\n`)

interface EntryPoint {
  readonly folder: string
  /** The entry's place, such as `dist/sink.d.ts`. */
  readonly types: string
  /** The report's file in the package's `api` folder. */
  readonly report: string
}

interface Manifest {
  readonly publishConfig: { readonly exports: Readonly<Record<string, { readonly types: string }>> }
}

const entryPoints = packages.flatMap((name): ReadonlyArray<EntryPoint> => {
  const folder = join(repositoryRoot, "packages", name)
  const manifest: Manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  return Object.entries(manifest.publishConfig.exports)
    .filter(([path]) => path !== tables)
    .map(([path, { types }]) => ({ folder, types, report: `${path === "." ? name : path.slice(2)}.api.md` }))
})

const configOf = ({ folder, report, types }: EntryPoint): ExtractorConfig =>
  ExtractorConfig.prepare({
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: join(folder, types),
      compiler: {
        overrideTsconfig: {
          extends: join(repositoryRoot, "tsconfig.base.json"),
          compilerOptions: { noEmit: true, rewriteRelativeImportExtensions: false },
          include: [types]
        }
      },
      // With the declarations that no name leads to: the members of `Crawl`, say, are part of what users call.
      apiReport: {
        enabled: true,
        includeForgottenExports: report !== "types.api.md",
        reportFileName: report,
        // The report that is compared is written below: see `sortUnions`.
        reportFolder: join(folder, ".turbo", "api-report"),
        reportTempFolder: join(folder, ".turbo", "api")
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: "lf",
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } }
      }
    },
    configObjectFullPath: join(folder, "api-extractor.json"),
    packageJsonFullPath: join(folder, "package.json")
  })

const configs = entryPoints.map(configOf)
// One program for all entry points: most of the time is spent on reading the types of Effect.
const compilerState = CompilerState.create(configs[0]!, {
  additionalEntryPoints: configs.map(({ mainEntryPointFilePath }) => mainEntryPointFilePath)
})

let failures = 0
for (const [index, config] of configs.entries()) {
  const { folder, report } = entryPoints[index]!
  mkdirSync(config.reportFolder, { recursive: true })
  const { succeeded } = Extractor.invoke(config, {
    compilerState,
    localBuild: true,
    messageCallback: (message) => {
      message.handled = true
      if (message.logLevel === ExtractorLogLevel.Error) say(message.text)
    }
  })
  const path = join(folder, "api", report)
  const fresh = sortUnions(readFileSync(join(config.reportTempFolder, report), "utf8"))
  const isSame = existsSync(path) && readFileSync(path, "utf8") === fresh
  if (!isSame) say(`${isUpdate ? "updated" : "differs"}: ${path.slice(repositoryRoot.length + 1)}`)
  if (!isSame && isUpdate) writeFileSync(path, fresh)
  if (!succeeded || (!isSame && !isUpdate)) failures++
}
if (failures > 0) say("the public API differs from its reports: run `pnpm api:update`, read the difference, commit it")

/** The reports of a package, by file. */
const reportsOf = (folder: string) =>
  entryPoints
    .filter((entry) => entry.folder === folder)
    .map(({ report }) => join(folder, "api", report))
    .filter((path) => existsSync(path))
    .map((path) => ({ path, text: readFileSync(path, "utf8") }))

for (const folder of new Set(entryPoints.map((entry) => entry.folder))) {
  const reports = reportsOf(folder)
  const importable = new Set(reports.flatMap(({ text }) => exportedNames(text)))
  for (const { path, text } of reports) {
    const unnamed = unnamedTypes(text).filter((name) => !importable.has(name))
    if (unnamed.length === 0) continue
    failures++
    say(`${path.slice(repositoryRoot.length + 1)} names types that cannot be imported: ${unnamed.join(", ")}`)
  }
}

process.exitCode = failures === 0 ? 0 : 1
