import { Effect } from "effect"
// Not through the package: its entry also holds a test suite, which loads only inside a test.
import { givenS3, s3Environment, startS3 } from "../../packages/testkit/src/s3/startS3.ts"

/** One S3 server for all tests of a run, which find it in `TEST_S3_ENDPOINT` and what is beside it. One that is given wins. */
export default async (): Promise<() => Promise<void>> => {
  const server = await startS3(await Effect.runPromise(givenS3))
  process.stderr.write(`S3: ${server.label}\n`)
  Object.assign(process.env, s3Environment(server))
  return server.stop
}
