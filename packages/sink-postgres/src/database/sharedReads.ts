/**
 * The statements that a process which holds an embedded database answers for others: by their exact text, so that nobody else's
 * statement can change anything or keep the run waiting.
 */
const shared = new Set<string>()

/** Declares a statement that only reads, and is quick, as one that others are answered. */
export const sharedRead = (sql: string): string => {
  shared.add(sql)
  return sql
}

/** Whether a statement was declared so. */
export const isSharedRead = (sql: string): boolean => shared.has(sql)
