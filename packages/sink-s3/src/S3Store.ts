import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
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
import { makeRedactor } from "@sluice/core/sink"
import { Effect, Option, Redacted, type Scope, Stream } from "effect"
import { assertStore, type Conditions } from "./assertStore.ts"
import { type NewObject, type ObjectStore, objectOf, type Pointed, type StoredObject } from "./ObjectStore.ts"
import type { S3Place } from "./S3SinkConfig.ts"
import type { StoreError } from "./StoreError.ts"
import { isLacking, isNamed, isStatus, toStoreError } from "./s3Errors.ts"

/** Larger objects go in pieces of this many bytes, so many of them at once. */
const pieceBytes = 16 * 1024 * 1024
const piecesAtOnce = 2
/** Where a store takes no request as large as that: the least that S3 lets a piece have. */
const smallPieceBytes = 5 * 1024 * 1024
/** Attempts of a request by the SDK, the first included. */
const maxAttempts = 4
const connectMs = 5000
/** A request that has not been answered for so long has failed. */
const requestMs = 60_000
/** S3 takes no more keys in one request. */
const keysAtOnce = 1000

/** What a store turned out not to have; it is asked for it once. */
interface Lacks {
  deletesOfMany: boolean
  pieces: boolean
  largeRequests: boolean
}

/** A bucket, below a prefix. Proves that it may be used as a run will, and that conditions of writes are kept. */
export const connectS3Store = (config: S3Place): Effect.Effect<ObjectStore, StoreError, Scope.Scope> =>
  Effect.flatMap(clientOf(config), (client) => {
    const lacks = lackingNothing()
    const withConditions = (conditions: Conditions) => s3Store(client, config, conditions, lacks)
    const isUnconditional = config.conditional_writes === "none"
    const address = addressOf(config)
    const tryPieces = (key: string) => triedPieces(client, config, key, lacks)
    return Effect.map(assertStore({ address, withConditions, tryPieces, isUnconditional }), withConditions)
  })

/** A bucket, below a prefix, for one who only reads it. Asks for nothing yet. */
export const readS3Store = (config: S3Place): Effect.Effect<ObjectStore, never, Scope.Scope> =>
  Effect.map(clientOf(config), (client) => s3Store(client, config, "none", lackingNothing()))

const clientOf = (config: S3Place): Effect.Effect<S3Client, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new S3Client(clientConfig(config))),
    (client) => Effect.sync(() => client.destroy())
  )

const lackingNothing = (): Lacks => ({ deletesOfMany: false, pieces: false, largeRequests: false })

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

/** Host and port of the store. AWS's own goes by the region, which the environment may name. */
const hostOf = ({ endpoint, region }: S3Place): string => {
  if (endpoint !== undefined) return endpoint.replace(/^([a-z]+:\/\/)[^@/]*@/i, "$1")
  return region === undefined ? "AWS" : `s3.${region}.amazonaws.com`
}

const addressOf = ({ bucket, prefix }: S3Place): string => `s3://${bucket}/${prefix}`

/** Some stores begin an upload and cannot end it; what is left of it stays until they remove it by a rule of their own. */
const triedPieces = (client: S3Client, config: S3Place, key: string, lacks: Lacks) =>
  Effect.tryPromise({
    try: async (abortSignal) => {
      const at = { Bucket: config.bucket, Key: `${config.prefix}${key}` }
      const begun = await orLacking(client.send(new CreateMultipartUploadCommand(at), { abortSignal }))
      lacks.pieces = begun?.UploadId === undefined
      if (lacks.pieces) return
      const abort = new AbortMultipartUploadCommand({ ...at, UploadId: begun?.UploadId })
      await orLacking(client.send(abort, { abortSignal }))
    },
    catch: (cause) => toStoreError("upload in pieces", `${addressOf(config)}${key}`, cause, { at: hostOf(config) })
  })

const s3Store = (client: S3Client, config: S3Place, conditions: Conditions, lacks: Lacks): ObjectStore => {
  const { bucket: Bucket } = config
  const redact = makeRedactor(config.secret_access_key === undefined ? [] : [Redacted.value(config.secret_access_key)])
  const keyOf = (key: string) => `${config.prefix}${key}`
  const attempt = <A>(operation: string, key: string, work: (abortSignal: AbortSignal) => Promise<A>) =>
    Effect.tryPromise({
      try: work,
      catch: (cause) => toStoreError(operation, `${addressOf(config)}${key}`, cause, { at: hostOf(config), redact })
    })

  const head = async (key: string, abortSignal: AbortSignal) =>
    orMissing(client.send(new HeadObjectCommand({ Bucket, Key: keyOf(key) }), { abortSignal }))

  /** Puts an object; in smaller pieces where the store takes none so large. */
  const put = async (key: string, object: NewObject, condition: Condition, abortSignal: AbortSignal): Promise<void> => {
    try {
      await putBytes(key, object, condition, abortSignal)
    } catch (cause) {
      if (!isStatus(cause, 413) || lacks.largeRequests || object.bytes.length <= smallPieceBytes) throw cause
      lacks.largeRequests = true
      await putBytes(key, object, condition, abortSignal)
    }
  }

  /** Puts bytes as they are: the store proves that it has got these. */
  const putBytes = async (
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
    const partSize = lacks.largeRequests ? smallPieceBytes : pieceBytes
    if (bytes.length <= partSize || lacks.pieces) {
      const whole = new PutObjectCommand({ ...params, ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64") })
      await client.send(whole, { abortSignal })
      return
    }
    const upload = new Upload({ client, params, partSize, queueSize: piecesAtOnce })
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
    const mustLook = conditions === "none" || object.bytes.length > smallPieceBytes
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
      const found: Awaited<ReturnType<typeof listUploads>> | undefined = await orLacking(
        listUploads(prefix, markers, abortSignal)
      )
      // A store that does not list them removes them by a rule of its own, or keeps them: there is no way to know.
      if (found === undefined) return aborted
      for (const { Initiated, Key, UploadId } of found.Uploads ?? []) {
        if ((Initiated?.getTime() ?? 0) >= before) continue
        const abort = new AbortMultipartUploadCommand({ Bucket, Key, UploadId })
        const answer = await orLacking(orMissing(client.send(abort, { abortSignal }).then(() => true)))
        if (answer === true) aborted++
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
      const some = keys.slice(at, at + keysAtOnce)
      if (!lacks.deletesOfMany && (await removeMany(some, abortSignal))) continue
      lacks.deletesOfMany = true
      for (const key of some) {
        await orMissing(client.send(new DeleteObjectCommand({ Bucket, Key: keyOf(key) }), { abortSignal }))
      }
    }
  }

  /** Whether the store has such a request: some lack it, and some want a checksum of it that the SDK has given up. */
  const removeMany = async (keys: ReadonlyArray<string>, abortSignal: AbortSignal): Promise<boolean> => {
    const Objects = keys.map((key) => ({ Key: keyOf(key) }))
    const answer = await orLacking(
      client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }), { abortSignal })
    )
    const [first] = answer?.Errors ?? []
    if (first !== undefined) throw Object.assign(new Error(), { name: first.Code ?? "DeleteFailed" })
    return answer !== undefined
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

/** Nothing where the store does not have what was asked for. */
const orLacking = <A>(work: Promise<A>): Promise<A | undefined> =>
  work.catch((cause) => {
    if (isLacking(cause)) return undefined
    throw cause
  })

const orMissing = <A>(work: Promise<A>): Promise<A | undefined> =>
  work.catch((cause) => {
    if (isStatus(cause, 404) && !isNamed(cause, "NoSuchBucket")) return undefined
    throw cause
  })
