import { describe } from "@effect/vitest"
import { knownDeviations, s3Server, s3Suite } from "../../src/s3/index.ts"

const label = process.env.TEST_S3_LABEL ?? ""
const deviations = knownDeviations(label)

describe.skipIf(deviations === undefined)("the server of the tests", () => s3Suite(label, s3Server, deviations))
