import { BaseSequencer, type TestSpecification } from "vitest/node"

/**
 * Files that take more than some fifteen seconds, by the ends of their names. The last of the files to begin should be a short one:
 * a long one would keep one worker busy and the others idle.
 */
const long: ReadonlyArray<string> = [
  // With a Postgres server.
  "runner/test/Misbehaviour.integration.test.ts",
  "sink-postgres/test/sink.integration.test.ts",
  "e2e/PostgresVersions.integration.test.ts",
  "crash/unpublished/Unpublished.integration.test.ts",
  "crash/Crash.integration.test.ts",
  "crash/commands/Commands.integration.test.ts",
  "e2e/HostileSettings.integration.test.ts",
  "fleet/Workers.integration.test.ts",
  "runner/test/Query.integration.test.ts",
  "crash/fanout/Fanout.integration.test.ts",
  "crash/DatabaseRestart.integration.test.ts",
  "e2e/PostgresManual.integration.test.ts",
  "runner/test/AnyPassword.integration.test.ts",
  "sink-postgres/test/TouchedTables.integration.test.ts",
  // With an S3 server.
  "sink-s3/test/S3.s3.test.ts",
  "e2e/Bucket.s3.test.ts",
  // With neither.
  "test/gate.test.ts",
  "sink-postgres/test/sink.test.ts",
  "runner/test/Home.test.ts",
  "e2e/Start.test.ts",
  "docs/Tutorial.test.ts",
  "core/Strangers.test.ts",
  "sink-postgres/test/makeDirectory.test.ts",
  "sink-s3/test/Stores.test.ts",
  "sink-s3/test/S3Faults.test.ts",
  "runner/test/RunsUnderWay.test.ts",
  "sink-s3/test/Faults.test.ts",
  "scraper/test/Conformance.test.ts",
  "crash/EmbeddedDisk.test.ts",
  "scraper/test/Rendering.test.ts",
  "e2e/EmbeddedRendering.test.ts",
  "sink-s3/test/loaders/duckdb.test.ts",
  "scraper/test/BrowserProcess.test.ts",
  "scraper/test/soak/Soak.test.ts",
  "test/fanout/Replay.test.ts",
  "scraper/test/RenderingEgress.test.ts",
  "test/core/Reader.test.ts",
  "test/crawl/ManyHosts.test.ts"
]

const rankOf = ({ moduleId }: TestSpecification): number => {
  const rank = long.findIndex((name) => moduleId.endsWith(name))
  return rank === -1 ? long.length : rank
}

/** Has long files begin first, project by project. Vitest does so by itself only where it remembers an earlier run. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const sorted = await super.sort(files)
    const projects = [...new Set(sorted.map(({ project }) => project.name))]
    const placeOf = ({ project }: TestSpecification): number => projects.indexOf(project.name)
    return sorted.sort((a, b) => placeOf(a) - placeOf(b) || rankOf(a) - rankOf(b))
  }
}
