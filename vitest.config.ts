import { defineConfig } from "vitest/config"
import { LongestFirst } from "./test/setup/LongestFirst.ts"

// Workspace packages are linked into each other's node_modules, and their tests with them.
const linked = "**/node_modules/**"

const tests = (pattern: string) =>
  ["packages/*/test", "apps/*/test", "test", "docs/examples"].map((folder) => `${folder}/**/${pattern}`)

// First in each project: the setups of projects run before that of the whole.
const temporaryFiles = "test/setup/temporaryFiles.ts"

export default defineConfig({
  test: {
    pool: "forks",
    // A file of tests does not read Node's and our modules anew: that was a third of the work. None may leave anything behind.
    isolate: false,
    // One more than the two cores of the smallest machine: tests wait for processes and servers of theirs.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // Tests make many small things: collecting them in larger portions takes a tenth less of the processors.
    execArgv: ["--max-semi-space-size=64"],
    // For a machine that has other things to do: on one that has not, no test takes a quarter of it.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    globalSetup: [temporaryFiles, "test/setup/sampleSeed.ts", "test/setup/bundles.ts"],
    reporters: ["default", ["json", { outputFile: "reports/vitest.json" }]],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: tests("*.test.ts"),
          exclude: [linked, ...tests("*.integration.test.ts"), ...tests("*.s3.test.ts")]
        }
      },
      // Its setup starts a Postgres server, so runs without such a test do without one.
      {
        extends: true,
        test: {
          name: "integration",
          include: tests("*.integration.test.ts"),
          exclude: [linked],
          globalSetup: [temporaryFiles, "test/setup/postgres.ts"]
        }
      },
      // Its setup starts an S3 server, likewise.
      {
        extends: true,
        test: {
          name: "s3",
          include: tests("*.s3.test.ts"),
          exclude: [linked],
          globalSetup: [temporaryFiles, "test/setup/s3.ts"]
        }
      }
    ]
  }
})
