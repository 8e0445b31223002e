import type { JobKind } from "../record/JobSnapshot.ts"
import type { PageRecord } from "../record/PageRecord.ts"
import type { StoredPage } from "./SourceKind.ts"
import { sourceKinds } from "./sourceKinds.ts"

/**
 * The record of a stored raw result, read again by the contract of this build. Undefined where it is no result of this kind, or
 * its page is not known.
 */
export const recordOfResult = (kind: JobKind, page: StoredPage, raw: unknown): PageRecord | undefined =>
  sourceKinds[kind].recordOf(page, raw)
