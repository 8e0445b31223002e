import type { S3Deviations } from "./S3Suite.ts"

/** What the Ceph object gateway 16 of Debian 12 does otherwise, as measured with 16.2.15. */
const ceph16: S3Deviations = {
  "takes a stream in chunks with a checksum behind them": "411 MissingContentLength",
  "refuses a wrong CRC32": "accepted",
  "gives the CRC32 back": "no checksum",
  "gives a SHA256 back": "no checksum",
  "writes with If-Match of the right ETag": "412 PreconditionFailed",
  "refuses If-Match of a key that is not there": "412 PreconditionFailed",
  "refuses to complete over what is there with If-None-Match: *": "accepted",
  "keeps a CRC32 of the whole": "no checksum"
}

/** What a server is known to do otherwise than S3, by its label. `undefined` for a gateway of a version nobody measured. */
export const knownDeviations = (label: string): S3Deviations | undefined => {
  if (!label.startsWith("Ceph RGW")) return {}
  return label.startsWith("Ceph RGW 16.") ? ceph16 : undefined
}
