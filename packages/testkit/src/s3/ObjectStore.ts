import { createHash } from "node:crypto"
import type { Checksum, ChecksumAlgorithm } from "./Checksums.ts"
import { S3Error } from "./S3Error.ts"

/** Whether a checksum is one of the object's bytes, or one of its parts' checksums. */
export type ChecksumType = "FULL_OBJECT" | "COMPOSITE"

/** An object as it was written. */
export interface StoredObject {
  readonly body: Buffer
  /** Without quotes. */
  readonly etag: string
  readonly lastModified: Date
  /** What it was stored with and is answered with: content type, encoding, metadata. */
  readonly headers: ReadonlyMap<string, string>
  readonly checksum: (Checksum & { readonly type: ChecksumType }) | undefined
}

/** A part of an upload. */
export interface StoredPart {
  readonly number: number
  readonly body: Buffer
  readonly etag: string
  readonly lastModified: Date
  readonly checksum: Checksum | undefined
}

/** A multipart upload that has been neither completed nor aborted. */
export interface StoredUpload {
  readonly id: string
  readonly key: string
  readonly headers: ReadonlyMap<string, string>
  readonly initiated: Date
  readonly algorithm: ChecksumAlgorithm | undefined
  readonly type: ChecksumType
  readonly parts: Map<number, StoredPart>
}

/** A bucket. */
export interface StoredBucket {
  readonly name: string
  readonly created: Date
  readonly objects: Map<string, StoredObject>
  readonly uploads: Map<string, StoredUpload>
}

/** All buckets of a server. */
export class ObjectStore {
  readonly #buckets = new Map<string, StoredBucket>()
  #uploads = 0

  get buckets(): ReadonlyArray<StoredBucket> {
    return [...this.#buckets.values()].toSorted((a, b) => byBytes(a.name, b.name))
  }

  create(name: string): void {
    if (!/^(?!\d+\.\d+\.\d+\.\d+$)[a-z\d](?:[a-z\d-]|\.(?!\.)){1,61}[a-z\d]$/.test(name)) {
      throw new S3Error("InvalidBucketName", "The specified bucket is not valid.", { BucketName: name })
    }
    if (this.#buckets.has(name)) {
      throw new S3Error("BucketAlreadyOwnedByYou", "You have made this bucket already.", { BucketName: name })
    }
    this.#buckets.set(name, { name, created: new Date(), objects: new Map(), uploads: new Map() })
  }

  remove(name: string): void {
    if (this.bucket(name).objects.size > 0) {
      throw new S3Error("BucketNotEmpty", "The bucket you tried to delete is not empty.", { BucketName: name })
    }
    this.#buckets.delete(name)
  }

  bucket(name: string): StoredBucket {
    const bucket = this.#buckets.get(name)
    if (bucket === undefined) {
      throw new S3Error("NoSuchBucket", "The specified bucket does not exist.", { BucketName: name })
    }
    return bucket
  }

  object(bucket: string, key: string): StoredObject {
    const object = this.bucket(bucket).objects.get(key)
    if (object === undefined) throw new S3Error("NoSuchKey", "The specified key does not exist.", { Key: key })
    return object
  }

  upload(bucket: string, key: string, id: string): StoredUpload {
    const upload = this.bucket(bucket).uploads.get(id)
    if (upload === undefined || upload.key !== key) {
      throw new S3Error("NoSuchUpload", "The specified upload does not exist, or was aborted or completed.", {
        UploadId: id
      })
    }
    return upload
  }

  /** An id no upload of this server has had. */
  nextUploadId(): string {
    return createHash("sha256")
      .update(`upload ${++this.#uploads}`)
      .digest("base64url")
  }
}

/** The ETag of bytes stored in one piece. */
export const etagOf = (bytes: Uint8Array): string => createHash("md5").update(bytes).digest("hex")

/** The order of keys in lists: by their UTF-8 bytes. */
export const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
