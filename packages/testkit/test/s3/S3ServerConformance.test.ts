import { s3Suite } from "../../src/s3/index.ts"
import { S3Server } from "../../src/s3/S3Server.ts"

s3Suite("the strict server", S3Server.make())
