/**
 * Shows that somebody without this repository gets from `npm install` to rows. Packs every package the runner needs, serves them as a
 * registry of the scope @sluice, and with each Node and the npm CLI: installs the runner globally into an empty place, and there runs
 * init, doctor, plan, run against a simulated API, and query; then asks npx for it. Needs built packages and the registry for the rest.
 * Usage: `pnpm check:install [NODE...]`; each NODE is a version of the npm package `node`, 22 and 24 when absent.
 */
import { execFile, execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { promisify } from "node:util"
import { makeSite, Simulator } from "@sluice/testkit"
import { Effect, Redacted } from "effect"
import { repositoryRoot } from "./house/SourceTree.ts"

const packages = [
  "packages/contract",
  "packages/core",
  "packages/directory-lock",
  "packages/migrations",
  "packages/sink-postgres",
  "packages/sink-s3",
  "apps/scraper",
  "apps/runner"
]

/** From the start of an installation to rows, as it is promised. */
const promisedMs = 60_000

const [, , ...given] = process.argv
const versions = given.length === 0 ? ["22", "24"] : given
const folder = mkdtempSync(join(tmpdir(), "sluice-install-"))

/** A package as `pnpm publish` would send it. */
const pack = (path: string) => {
  const tarball = join(folder, `${path.replaceAll("/", "-")}.tgz`)
  execFileSync("pnpm", ["pack", "--out", tarball], {
    cwd: join(repositoryRoot, path),
    stdio: ["ignore", "ignore", "inherit"]
  })
  const bytes = readFileSync(tarball)
  const manifest: { name: string; version: string } = JSON.parse(
    execFileSync("tar", ["-xzOf", tarball, "package/package.json"], { encoding: "utf8" })
  )
  return { bytes, manifest, file: `${path.replaceAll("/", "-")}.tgz` }
}

/** Serves packed packages the way the npm registry does. */
const serveRegistry = (packed: ReadonlyArray<ReturnType<typeof pack>>) => {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "").slice(1)
    const asked = packed.find(({ file, manifest }) => manifest.name === path || file === path)
    if (asked === undefined) return void response.writeHead(404).end("{}")
    const { bytes, file, manifest } = asked
    if (file === path) return void response.writeHead(200).end(bytes)
    const dist = {
      tarball: `http://${request.headers.host}/${file}`,
      integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}`
    }
    const { name, version } = manifest
    const packument = { name, "dist-tags": { latest: version }, versions: { [version]: { ...manifest, dist } } }
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(packument))
  })
  return new Promise<{ origin: string; close: () => void }>((resolve) =>
    server.listen(0, "127.0.0.1", () =>
      resolve({
        origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
        close: () => void server.close()
      })
    )
  )
}

/** How the registry is reached; nothing else of npm's own settings is handed on. */
const outerEnvironment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => /proxy|npm_config_registry|_CA_/i.test(name))
)

/** The program behind the first `npm` of the path: it runs on whichever Node is named. */
const npmCli = (): string => {
  const npm = (process.env.PATH ?? "")
    .split(delimiter)
    .map((directory) => join(directory, "npm"))
    .find((file) => existsSync(file))
  if (npm === undefined) throw new Error("there is no npm in the path")
  return realpathSync(npm)
}

/** A Node of a version, by the npm package `node`. */
const nodeOf = (version: string): string => {
  const place = join(folder, `node-${version}`)
  mkdirSync(place)
  writeFileSync(join(place, "package.json"), "{}")
  execFileSync(process.execPath, [npmCli(), "install", "--no-audit", "--no-fund", `node@${version}`], {
    cwd: place,
    env: { ...outerEnvironment, PATH: process.env.PATH, HOME: place, npm_config_prefix: place },
    stdio: "ignore"
  })
  return join(place, "node_modules/node/bin/node")
}

const check = async (version: string, registry: string, api: Readonly<Record<string, string>>) => {
  const node = nodeOf(version)
  const cli = npmCli()
  const place = join(folder, `place-${version}`)
  const prefix = join(folder, `global-${version}`)
  mkdirSync(place)
  const rc = join(folder, `npmrc-${version}`)
  writeFileSync(rc, `@sluice:registry=${registry}\n`)
  const env = {
    PATH: [join(prefix, "bin"), dirname(node), "/usr/bin", "/bin"].join(delimiter),
    HOME: place,
    npm_config_userconfig: rc,
    npm_config_cache: join(folder, "cache"),
    npm_config_prefix: prefix,
    ...outerEnvironment,
    ...api
  }
  const run = async (program: string, args: ReadonlyArray<string>) => {
    const { stderr, stdout } = await promisify(execFile)(program, [...args], { cwd: place, env, encoding: "utf8" })
    if (/EBADENGINE|deprecated/.test(stderr)) throw new Error(`it warns of packages:\n${stderr}`)
    return stdout.trim()
  }
  const startedAt = performance.now()
  await run(node, [cli, "install", "--global", "--no-audit", "--no-fund", "@sluice/runner"])
  const installed = performance.now()
  await run("sluice", ["init", "site.yaml", "--name", "site", "--url", "https://site.test/"])
  await run("sluice", ["doctor", "site.yaml"])
  const plan = JSON.parse(await run("sluice", ["plan", "site.yaml", "--json"]))
  const receipt = JSON.parse(await run("sluice", ["run", "site.yaml", "--json", "--expect-plan", plan.hash]))
  const rows = await run("sluice", [
    "query",
    "--pipeline",
    "site.yaml",
    "--json",
    "SELECT count(*)::int AS n FROM pages"
  ])
  const endedAt = performance.now()
  if (receipt.status !== "completed" || !/"n":\s*11\b/.test(rows))
    throw new Error(`${JSON.stringify(receipt)}\n${rows}`)
  if (receipt.tokens.charged > plan.cost.most) throw new Error(`it cost more than ${plan.cost.most}`)
  await run(node, [cli, "exec", "--yes", "--", "@sluice/runner", "validate", "site.yaml"])
  const seconds = (from: number, to: number) => `${((to - from) / 1000).toFixed(1)} s`
  const nodeVersion = execFileSync(node, ["--version"], { encoding: "utf8" }).trim()
  process.stdout.write(
    `Node ${nodeVersion}: installed in ${seconds(startedAt, installed)}, rows after ${seconds(startedAt, endedAt)}; npx runs it\n`
  )
  if (endedAt - startedAt > promisedMs) process.stdout.write("that is more than the minute that is promised\n")
}

const main = Effect.gen(function* () {
  const registry = yield* Effect.acquireRelease(
    Effect.promise(() => serveRegistry(packages.map(pack))),
    ({ close }) => Effect.sync(close)
  )
  for (const version of versions) {
    // An API of its own for each: an empty ledger would not pay again for a crawl that the API has.
    const simulator = yield* Simulator.make({ site: makeSite({ pages: 11 }) })
    const api = {
      SCRAPER_API_BASE_URL: simulator.baseUrl,
      GEONODE_SCRAPER_API_KEY: Redacted.value(simulator.apiKey)
    }
    yield* Effect.promise(() => check(version, registry.origin, api))
  }
})

try {
  await Effect.runPromise(Effect.scoped(main))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
