import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted } from "effect"
import { givenS3, type S3Endpoint, s3Server } from "../../src/s3/index.ts"

const withVariables =
  (variables: Readonly<Record<string, string>>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provide(effect, ConfigProvider.layer(ConfigProvider.fromUnknown(variables)))

const user = {
  S3_ENDPOINT: "http://127.0.0.1:9000",
  S3_ACCESS_KEY_ID: "user",
  S3_SECRET_ACCESS_KEY: "user-secret"
}

const setup = {
  TEST_S3_ENDPOINT: "http://127.0.0.1:9001",
  TEST_S3_ACCESS_KEY_ID: "setup",
  TEST_S3_SECRET_ACCESS_KEY: "setup-secret",
  TEST_S3_REGION: "eu-west-1",
  TEST_S3_LABEL: "Ceph RGW 16.2.15"
}

const shown = (server: S3Endpoint | undefined) =>
  server && { ...server, secretAccessKey: Redacted.value(server.secretAccessKey) }

describe("the S3 server given", () => {
  it.effect("is a user's, or before it that of a global setup", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* withVariables({})(givenS3))
      assert.isUndefined(yield* withVariables({ S3_ENDPOINT: "" })(givenS3))
      assert.deepStrictEqual(shown(yield* withVariables(user)(givenS3)), {
        endpoint: "http://127.0.0.1:9000",
        region: "us-east-1",
        accessKeyId: "user",
        secretAccessKey: "user-secret",
        label: "S3_ENDPOINT"
      })
      assert.deepStrictEqual(shown(yield* withVariables({ ...user, ...setup })(givenS3)), {
        endpoint: "http://127.0.0.1:9001",
        region: "eu-west-1",
        accessKeyId: "setup",
        secretAccessKey: "setup-secret",
        label: "Ceph RGW 16.2.15"
      })
    })
  )

  it.effect("needs its keys", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(withVariables({ S3_ENDPOINT: "http://127.0.0.1:9000" })(givenS3))
      assert.include(error.message, "S3_ACCESS_KEY_ID")
    })
  )

  it.effect("is taken in place of one to start", () =>
    Effect.gen(function* () {
      const { endpoint, label } = yield* withVariables(setup)(s3Server)
      assert.deepStrictEqual([endpoint, label], [setup.TEST_S3_ENDPOINT, setup.TEST_S3_LABEL])
    })
  )
})
