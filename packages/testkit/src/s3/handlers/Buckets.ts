import { emptyAnswer, xmlAnswer } from "../answers.ts"
import type { S3Handler } from "../S3Request.ts"

/** Answers ListBuckets. */
export const listBuckets: S3Handler = (_request, store) =>
  xmlAnswer("ListAllMyBucketsResult", {
    Owner: { ID: "testkit" },
    Buckets: { Bucket: store.buckets.map(({ created, name }) => ({ Name: name, CreationDate: created.toISOString() })) }
  })

/** Answers CreateBucket. The region its body may name is not looked at. */
export const createBucket: S3Handler = ({ bucket }, store) => {
  store.create(bucket)
  return emptyAnswer(200, { location: `/${bucket}` })
}

/** Answers HeadBucket. */
export const headBucket: S3Handler = ({ bucket }, store) => {
  store.bucket(bucket)
  return emptyAnswer()
}

/** Answers DeleteBucket. Uploads that were not completed go with it. */
export const deleteBucket: S3Handler = ({ bucket }, store) => {
  store.remove(bucket)
  return emptyAnswer(204)
}

/** Answers GetBucketLocation, always with what stands for the first region. */
export const getBucketLocation: S3Handler = ({ bucket }, store) => {
  store.bucket(bucket)
  return xmlAnswer("LocationConstraint", "")
}
