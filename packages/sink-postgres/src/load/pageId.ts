import type { RowKeyedRecord } from "../pages/Rows.ts"

/** Names a page within all sets. */
export const pageId = ({ setNo, record }: Pick<RowKeyedRecord, "setNo" | "record">): string => `${setNo}:${record.key}`
