/** Usage: node .ci/writeVersion.ts, after `changeset version`: writes the new version into the programs, and the changelog. */
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs"
import { addRelease, versionFiles, withVersion } from "./versions.ts"

const { version }: { readonly version: string } = JSON.parse(readFileSync("packages/contract/package.json", "utf8"))
for (const file of versionFiles) writeFileSync(file, withVersion(readFileSync(file, "utf8"), version))
const changelog = existsSync("CHANGELOG.md") ? readFileSync("CHANGELOG.md", "utf8") : ""
const packages = globSync(["packages/*/CHANGELOG.md", "apps/*/CHANGELOG.md"]).sort()
writeFileSync(
  "CHANGELOG.md",
  addRelease(
    changelog,
    version,
    packages.map((path) => readFileSync(path, "utf8"))
  )
)
