import { Effect, Redacted } from "effect"
import { startS3Server } from "../../packages/testkit/src/s3/S3Server.ts"

// An S3 server in a process of its own; prints how it is reached. What is written to it stays in its memory.
const { accessKeyId, createBucket, endpoint, region, secretAccessKey } = await startS3Server()
await Effect.runPromise(createBucket("bench"))
process.stdout.write(
  `${JSON.stringify({ endpoint, region, accessKeyId, secretAccessKey: Redacted.value(secretAccessKey) })}\n`
)
