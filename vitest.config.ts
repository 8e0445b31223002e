import { defineConfig } from "vitest/config"

const tests = (pattern: string) => ["packages/*/test", "apps/*/test", "test"].map((folder) => `${folder}/**/${pattern}`)

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ["default", ["json", { outputFile: "reports/vitest.json" }]],
    projects: [
      { extends: true, test: { name: "unit", include: tests("*.test.ts"), exclude: tests("*.integration.test.ts") } },
      // Its setup starts a Postgres server, so runs without such a test do without one.
      {
        extends: true,
        test: { name: "integration", include: tests("*.integration.test.ts"), globalSetup: "test/setup/postgres.ts" }
      }
    ]
  }
})
