// Not through the package: its entry also holds test suites, which load only inside a test.
import { startPostgres } from "../../packages/testkit/src/PostgresServer.ts"

/** One Postgres server for all tests of a run, which find it in `TEST_DATABASE_URL`. A `TEST_DATABASE_URL` given wins. */
export default async (): Promise<() => Promise<void>> => {
  const server = await startPostgres(process.env.TEST_DATABASE_URL ?? process.env.DATABASE_URL)
  process.env.TEST_DATABASE_URL = server.url
  return server.stop
}
