import type { S3Operation } from "../Operations.ts"
import type { S3Handler } from "../S3Request.ts"
import { createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets } from "./Buckets.ts"
import { listMultipartUploads, listObjectsV2 } from "./Listings.ts"
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  listParts,
  uploadPart
} from "./Multipart.ts"
import { copyObject, deleteObject, deleteObjects, getObject, putObject } from "./Objects.ts"

/** What answers each operation. */
export const handlers: Readonly<Record<S3Operation, S3Handler>> = {
  ListBuckets: listBuckets,
  CreateBucket: createBucket,
  HeadBucket: headBucket,
  DeleteBucket: deleteBucket,
  GetBucketLocation: getBucketLocation,
  ListObjectsV2: listObjectsV2,
  ListMultipartUploads: listMultipartUploads,
  DeleteObjects: deleteObjects,
  PutObject: putObject,
  CopyObject: copyObject,
  GetObject: getObject,
  HeadObject: getObject,
  DeleteObject: deleteObject,
  CreateMultipartUpload: createMultipartUpload,
  UploadPart: uploadPart,
  ListParts: listParts,
  CompleteMultipartUpload: completeMultipartUpload,
  AbortMultipartUpload: abortMultipartUpload
}
