import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { readPackages, repositoryRoot } from "../../.ci/house/SourceTree.ts"
import data from "../../.ci/house/walks.json" with { type: "json" }
import { walkProblems, walkThrough } from "../../.ci/house/walkThrough.ts"

const { walks } = data

describe("walks through the code", () => {
  const packages = readPackages(repositoryRoot)

  it("enter no room twice, and lead from a room to one that knows it", () => {
    assert.deepStrictEqual(
      walks.flatMap((walk) => walkProblems(walk, packages)),
      []
    )
  })

  it("are in the architecture as they are here", () => {
    assert.include(readFileSync(join(repositoryRoot, "docs/explanation/architecture.md"), "utf8"), walkThrough(walks))
  })

  it("fail on a room that is entered twice, is not there, or has nothing to do with the last one", () => {
    const [http, net, crawl] = ["http", "net", "crawl"].map((room) => `apps/scraper/src/${room}`)
    const problems = (...rooms: ReadonlyArray<string | undefined>) =>
      walkProblems({ name: "a", rooms: rooms.flatMap((room) => room ?? []) }, packages)
    assert.deepStrictEqual(problems(http, net, http), [`a: ${http} is entered twice`])
    assert.deepStrictEqual(problems(http, "apps/scraper/src/attic").slice(-1), [
      "a: there is no room apps/scraper/src/attic"
    ])
    assert.lengthOf(problems(crawl, "packages/sink-s3/src/vault"), 1)
  })
})
