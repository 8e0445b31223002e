import type { KeyedRecord } from "../pages/Rows.ts"

/** Names a page within all sets. */
export const standingId = ({ setNo, record }: Pick<KeyedRecord, "setNo" | "record">): string => `${setNo}:${record.key}`
