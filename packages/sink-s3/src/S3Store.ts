import { randomUUID } from "node:crypto"
import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig
} from "@aws-sdk/client-s3"
import { Upload } from "@aws-sdk/lib-storage"
import { makeRedactor } from "@sluice/core"
import { Effect, Option, Redacted, type Scope, Stream } from "effect"
import { probes } from "./Layout.ts"
import { type NewObject, type ObjectStore, objectOf, type Pointed, type StoredObject } from "./ObjectStore.ts"
import type { S3Place } from "./S3SinkConfig.ts"
import { type StoreError, unfit } from "./StoreError.ts"
import { isNamed, isStatus, toStoreError } from "./s3Errors.ts"

/** Larger objects go in pieces of this many bytes, so many of them at once. */
const pieceBytes = 16 * 1024 * 1024
const piecesAtOnce = 2
/** Attempts of a request by the SDK, the first included. */
const maxAttempts = 4
const connectMs = 5000
/** A request that has not been answered for so long has failed. */
const requestMs = 60_000
/** S3 takes no more keys in one request. */
const keysAtOnce = 1000

/** How a store wants an ETag it has told to be said back to it; none where it has no conditional writes. */
type Conditions = "quoted" | "bare" | "none"

/** A bucket, below a prefix. Proves that it may be written to, and that conditions of writes are kept. */
export const connectS3Store = (config: S3Place): Effect.Effect<ObjectStore, StoreError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new S3Client(clientConfig(config))),
    (client) => Effect.sync(() => client.destroy())
  ).pipe(
    Effect.flatMap((client) =>
      config.conditional_writes === "none"
        ? Effect.succeed(s3Store(client, config, "none"))
        : Effect.map(proveConditions(client, config), (conditions) => s3Store(client, config, conditions))
    )
  )

const clientConfig = (config: S3Place): S3ClientConfig => ({
  maxAttempts,
  requestHandler: { connectionTimeout: connectMs, requestTimeout: requestMs, throwOnRequestTimeout: true },
  forcePathStyle: config.path_style ?? config.endpoint !== undefined,
  ...(config.region === undefined ? {} : { region: config.region }),
  ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
  ...(config.access_key_id === undefined || config.secret_access_key === undefined
    ? {}
    : {
        credentials: {
          accessKeyId: config.access_key_id,
          secretAccessKey: Redacted.value(config.secret_access_key)
        }
      })
})

/** Writes what there must not be twice, and moves a pointer that is not as it was: a store that lets either pass is unfit. */
const proveConditions = Effect.fnUntraced(function* (
  client: S3Client,
  config: S3Place
): Effect.fn.Return<Conditions, StoreError> {
  const key = `${probes}${randomUUID()}`
  const quoted = s3Store(client, config, "quoted")
  const first = objectOf(new TextEncoder().encode("1"), "text/plain")
  const second = new TextEncoder().encode("2")
  const probe = Effect.gen(function* () {
    yield* quoted.create(key, first)
    if (yield* quoted.create(key, first)) return yield* ignoresConditions(config, "If-None-Match")
    const now = yield* quoted.readPointer(key)
    if (yield* quoted.movePointer(key, { bytes: second, tag: `"${"0".repeat(32)}"` }, second)) {
      return yield* ignoresConditions(config, "If-Match")
    }
    if (yield* quoted.movePointer(key, now, second)) return "quoted" as const
    if (yield* s3Store(client, config, "bare").movePointer(key, now, second)) return "bare" as const
    return yield* ignoresConditions(config, "If-Match")
  })
  return yield* Effect.ensuring(probe, Effect.ignore(quoted.remove([key])))
})

const ignoresConditions = (config: S3Place, header: string): Effect.Effect<never, StoreError> =>
  Effect.fail(
    unfit(
      "prove",
      addressOf(config),
      `the store at ${addressOf(config)} does not keep conditional writes (${header}), so two writers could both believe to have published; use another store, or set conditional_writes: none where one process at a time writes`
    )
  )

const addressOf = ({ bucket, prefix }: S3Place): string => `s3://${bucket}/${prefix}`

const s3Store = (client: S3Client, config: S3Place, conditions: Conditions): ObjectStore => {
  const { bucket: Bucket } = config
  const redact = makeRedactor(config.secret_access_key === undefined ? [] : [Redacted.value(config.secret_access_key)])
  const keyOf = (key: string) => `${config.prefix}${key}`
  const attempt = <A>(operation: string, key: string, work: (abortSignal: AbortSignal) => Promise<A>) =>
    Effect.tryPromise({
      try: work,
      catch: (cause) => toStoreError(operation, `${addressOf(config)}${key}`, cause, redact)
    })

  const head = async (key: string, abortSignal: AbortSignal) =>
    orMissing(client.send(new HeadObjectCommand({ Bucket, Key: keyOf(key) }), { abortSignal }))

  /** Puts bytes as they are: the store proves that it has got these. */
  const put = async (
    key: string,
    { bytes, contentType, sha256 }: NewObject,
    condition: Condition,
    abortSignal: AbortSignal
  ) => {
    const params = {
      Bucket,
      Key: keyOf(key),
      Body: bytes,
      ContentType: contentType,
      Metadata: { sha256 },
      ...condition
    }
    if (bytes.length <= pieceBytes) {
      const whole = new PutObjectCommand({ ...params, ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64") })
      await client.send(whole, { abortSignal })
      return
    }
    const upload = new Upload({ client, params, partSize: pieceBytes, queueSize: piecesAtOnce })
    const abort = () => void upload.abort()
    abortSignal.addEventListener("abort", abort, { once: true })
    try {
      await upload.done()
    } catch (cause) {
      // A completion whose answer was lost is asked for again, and there is no such upload any more: it may be the object.
      if (!isNamed(cause, "NoSuchUpload")) throw cause
      if ((await head(key, abortSignal))?.Metadata?.sha256 !== sha256) throw cause
    } finally {
      abortSignal.removeEventListener("abort", abort)
    }
  }

  const create = async (key: string, object: NewObject, abortSignal: AbortSignal): Promise<boolean> => {
    // Not every store keeps a condition where an object comes in pieces.
    const mustLook = conditions === "none" || object.bytes.length > pieceBytes
    if (mustLook && (await head(key, abortSignal)) !== undefined) return false
    return unlessRefused(put(key, object, conditions === "none" ? {} : { IfNoneMatch: "*" }, abortSignal))
  }

  const readPointer = async (key: string, abortSignal: AbortSignal): Promise<Pointed | undefined> => {
    const found = await orMissing(client.send(new GetObjectCommand({ Bucket, Key: keyOf(key) }), { abortSignal }))
    if (found?.Body === undefined) return undefined
    return { bytes: await found.Body.transformToByteArray(), tag: found.ETag ?? "" }
  }

  const movePointer = async (
    key: string,
    before: Pointed | undefined,
    bytes: Uint8Array,
    abortSignal: AbortSignal
  ): Promise<boolean> => {
    if (conditions === "none" && (await readPointer(key, abortSignal))?.tag !== before?.tag) return false
    const condition = conditions === "none" ? {} : conditionOf(before, conditions)
    return unlessRefused(put(key, objectOf(bytes, "application/json"), condition, abortSignal))
  }

  const page = (prefix: string, after: string | undefined, abortSignal: AbortSignal) =>
    client.send(
      new ListObjectsV2Command({
        Bucket,
        Prefix: keyOf(prefix),
        ...(after === undefined ? {} : { ContinuationToken: after })
      }),
      { abortSignal }
    )

  const uploads = async (prefix: string, before: number, abortSignal: AbortSignal): Promise<number> => {
    let aborted = 0
    let markers: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } | undefined = {}
    while (markers !== undefined) {
      const found: Awaited<ReturnType<typeof listUploads>> = await listUploads(prefix, markers, abortSignal)
      for (const { Initiated, Key, UploadId } of found.Uploads ?? []) {
        if ((Initiated?.getTime() ?? 0) >= before) continue
        await orMissing(client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), { abortSignal }))
        aborted++
      }
      markers =
        found.IsTruncated === true && found.NextKeyMarker !== undefined
          ? {
              KeyMarker: found.NextKeyMarker,
              ...(found.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: found.NextUploadIdMarker })
            }
          : undefined
    }
    return aborted
  }
  const listUploads = (prefix: string, markers: object, abortSignal: AbortSignal) =>
    client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: keyOf(prefix), ...markers }), { abortSignal })

  const remove = async (keys: ReadonlyArray<string>, abortSignal: AbortSignal): Promise<void> => {
    for (let at = 0; at < keys.length; at += keysAtOnce) {
      const Objects = keys.slice(at, at + keysAtOnce).map((key) => ({ Key: keyOf(key) }))
      const { Errors = [] } = await client.send(
        new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }),
        { abortSignal }
      )
      const [first] = Errors
      if (first !== undefined) throw Object.assign(new Error(), { name: first.Code ?? "DeleteFailed" })
    }
  }

  return {
    address: addressOf(config),
    create: (key, object) => attempt("create", key, (signal) => create(key, object, signal)),
    read: (key) => attempt("read", key, async (signal) => (await readPointer(key, signal))?.bytes),
    digest: (key) => attempt("digest", key, async (signal) => (await head(key, signal))?.Metadata?.sha256),
    readPointer: (key) => attempt("read", key, (signal) => readPointer(key, signal)),
    movePointer: (key, before, bytes) => attempt("move", key, (signal) => movePointer(key, before, bytes, signal)),
    list: (prefix) =>
      Stream.paginate(undefined as string | undefined, (after) =>
        Effect.map(
          attempt("list", prefix, (signal) => page(prefix, after, signal)),
          ({ Contents = [], NextContinuationToken }) =>
            [
              Contents.map(
                ({ Key = "", LastModified }): StoredObject => ({
                  key: Key.slice(config.prefix.length),
                  modifiedAt: LastModified?.getTime() ?? 0
                })
              ),
              Option.fromUndefinedOr(NextContinuationToken)
            ] as const
        )
      ),
    remove: (keys) => attempt("remove", keys[0] ?? "", (signal) => remove(keys, signal)),
    abortUploads: (prefix, before) => attempt("abort uploads", prefix, (signal) => uploads(prefix, before, signal))
  }
}

interface Condition {
  readonly IfNoneMatch?: string
  readonly IfMatch?: string
}

const conditionOf = (before: Pointed | undefined, conditions: Conditions): Condition => {
  if (before === undefined) return { IfNoneMatch: "*" }
  return { IfMatch: conditions === "bare" ? before.tag.replaceAll('"', "") : before.tag }
}

/** Whether it was written, or its condition did not hold. */
const unlessRefused = (work: Promise<void>): Promise<boolean> =>
  work.then(
    () => true,
    (cause) => {
      if (isStatus(cause, 412)) return false
      throw cause
    }
  )

const orMissing = <A>(work: Promise<A>): Promise<A | undefined> =>
  work.catch((cause) => {
    if (isStatus(cause, 404) && !isNamed(cause, "NoSuchBucket")) return undefined
    throw cause
  })
