import { Config, Effect, Redacted, type Scope } from "effect"
import { hasCeph, startCephGateway } from "./CephGateway.ts"
import type { S3Endpoint, StartedS3 } from "./S3Endpoint.ts"
import { startS3Server } from "./S3Server.ts"

/**
 * Starts a server, for a test runner's global setup: `given` wins, then a Ceph object gateway where its programs are installed
 * (on Debian `ceph-mon ceph-osd ceph-common radosgw`), then the strict server in this process. `label` says which it is, and
 * why it is no gateway if one would not start.
 */
export const startS3 = async (given?: S3Endpoint): Promise<StartedS3> => {
  if (given !== undefined) return { ...given, stop: async () => {} }
  if (!(await hasCeph())) return startS3Server()
  try {
    return await startCephGateway()
  } catch (error) {
    const server = await startS3Server()
    const reason = error instanceof Error ? error.message : String(error)
    return { ...server, label: `${server.label}, since Ceph RGW did not start: ${reason}` }
  }
}

/**
 * The server a user or a global setup names: in `TEST_S3_ENDPOINT`, or else in `S3_ENDPOINT`, with the variables
 * `.._ACCESS_KEY_ID`, `.._SECRET_ACCESS_KEY` and `.._REGION` beside it.
 */
export const givenS3: Effect.Effect<S3Endpoint | undefined, Config.ConfigError> = Effect.gen(function* () {
  for (const prefix of ["TEST_S3", "S3"]) {
    const endpoint = yield* Config.String(`${prefix}_ENDPOINT`).pipe(Config.withDefault(""))
    if (endpoint === "") continue
    return yield* Config.all({
      endpoint: Config.succeed(endpoint),
      region: Config.String(`${prefix}_REGION`).pipe(Config.withDefault("us-east-1")),
      accessKeyId: Config.String(`${prefix}_ACCESS_KEY_ID`),
      secretAccessKey: Config.Redacted(`${prefix}_SECRET_ACCESS_KEY`),
      label: Config.String(`${prefix}_LABEL`).pipe(Config.withDefault(`${prefix}_ENDPOINT`))
    })
  }
  return undefined
})

/** The variables in which `givenS3` finds a server. */
export const s3Environment = (server: S3Endpoint): Readonly<Record<`TEST_S3_${string}`, string>> => ({
  TEST_S3_ENDPOINT: server.endpoint,
  TEST_S3_REGION: server.region,
  TEST_S3_ACCESS_KEY_ID: server.accessKeyId,
  TEST_S3_SECRET_ACCESS_KEY: Redacted.value(server.secretAccessKey),
  TEST_S3_LABEL: server.label
})

/** The server given, or one started for the scope. */
export const s3Server: Effect.Effect<S3Endpoint, Config.ConfigError, Scope.Scope> = Effect.gen(function* () {
  const given = yield* givenS3
  return yield* Effect.acquireRelease(
    Effect.promise(() => startS3(given)),
    ({ stop }) => Effect.promise(stop)
  )
})
