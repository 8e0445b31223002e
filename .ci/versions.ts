/**
 * The version of Sluice is that of its packages, which changesets raises together. Programs cannot read it from their package.json
 * once they are bundled, so it is also a constant in each of these files.
 */
export const versionFiles = [
  "apps/runner/src/cli.ts",
  "apps/scraper/src/ScraperConfig.ts",
  "packages/testkit/src/simulator/command.ts"
]

const constant = /^(export const version = )"([^"]+)"/m

/** The version constant of a program. */
export const versionIn = (text: string): string | undefined => constant.exec(text)?.[2]

/** The same program with another version. */
export const withVersion = (text: string, version: string): string => text.replace(constant, `$1"${version}"`)

/**
 * Adds a release to the changelog, from the changelogs that changesets writes for each package. A change of several packages is
 * one entry. Lines about raised dependencies are dropped: the packages share one version.
 */
export const addRelease = (changelog: string, version: string, packages: ReadonlyArray<string>): string => {
  const entries = new Set(packages.flatMap((text) => entriesOf(text, version)))
  const title = "# Changelog\n"
  const rest = changelog.replace(title, "").trim()
  const release = `## ${version}\n\n${[...entries].join("\n")}\n`
  return `${title}\n${release}${rest === "" ? "" : `\n${rest}\n`}`
}

const entriesOf = (text: string, version: string): ReadonlyArray<string> => {
  const section = text.split(/^## /m).find((each) => each.startsWith(`${version}\n`)) ?? ""
  return section
    .split(/^(?=- )/m)
    .slice(1)
    .map((entry) => entry.replace(/^###.*$/gm, "").trim())
    .filter((entry) => !entry.startsWith("- Updated dependencies"))
    .map((entry) => entry.replace(/^- [0-9a-f]{7,40}: /, "- "))
}
