import { hasSqlDetails, parse } from "libpg-query"
import { NotReadOnly } from "./NotReadOnly.ts"

/** A name in a statement; without a schema it is looked up as the server does. */
export interface UsedName {
  readonly schema: string | null
  readonly name: string
}

/** What a statement that only reads calls by name: what these do, only the server knows. */
export interface ReadOnlyStatement {
  /** Whether it is a SELECT, VALUES or TABLE, which a cursor can be declared for. */
  readonly isSelect: boolean
  readonly functions: ReadonlyArray<UsedName>
  /** Behind a dot: `(x).f` is a column, or `f(x)`. */
  readonly attributes: ReadonlyArray<string>
  readonly operators: ReadonlyArray<UsedName>
}

/**
 * Reads a statement by Postgres' own grammar and answers what it calls. Refused is all but one SELECT, VALUES, TABLE or SHOW, or
 * the EXPLAIN of one, with nothing in it that writes, makes a table or locks rows; and what the grammar does not know.
 */
export const readOnlyStatement = async (sql: string): Promise<ReadOnlyStatement> => {
  if (sql.includes("\0")) throw new NotReadOnly("it holds a NUL character")
  if (sql.trim() === "") throw new NotReadOnly("there is no statement in it")
  const { stmts = [] } = await parse(sql).catch((cause: unknown) => {
    throw new NotReadOnly(parserSaid(cause), positionIn(cause))
  })
  if (stmts.length > 1) throw new NotReadOnly("multiple commands: only one is run")
  const [statement] = stmts
  if (statement?.stmt === undefined) throw new NotReadOnly("there is no statement in it")
  return { isSelect: "SelectStmt" in statement.stmt, ...namesIn(statement.stmt) }
}

/** The parser's errors are the server's own sentences; anything else is that it gave up, on a statement too deep for it, say. */
const parserSaid = (cause: unknown): string =>
  cause instanceof Error && cause.name === "SqlError"
    ? cause.message
    : "it could not be read by the grammar of PostgreSQL 18, so it cannot be known to change nothing"

/** Where the parser stopped, in characters from 1, which is how the server counts. */
const positionIn = (cause: unknown): number | undefined => {
  const at = hasSqlDetails(cause) ? cause.sqlDetails?.cursorPosition : undefined
  return at === undefined || at < 0 ? undefined : at + 1
}

/** The statements that may be there: the others change something, or do so later. */
const reading = new Set(["SelectStmt", "ExplainStmt", "VariableShowStmt"])

const namesIn = (statement: unknown): Omit<ReadOnlyStatement, "isSelect"> => {
  const functions: Array<UsedName> = []
  const operators: Array<UsedName> = []
  const attributes: Array<string> = []
  // A list of what is still to be seen, in the place of recursion: statements nest as deep as their author likes.
  const pending: Array<unknown> = [statement]
  while (pending.length > 0) {
    const node = pending.pop()
    if (typeof node !== "object" || node === null) continue
    for (const [kind, value] of Object.entries(node)) {
      if (kind.endsWith("Stmt") && !reading.has(kind)) throw new NotReadOnly(unlikeReading(commandOf(kind, value)))
      if (kind === "intoClause") throw new NotReadOnly(unlikeReading("SELECT INTO"))
      if (kind === "lockingClause") throw new NotReadOnly(unlikeReading("SELECT FOR UPDATE or FOR SHARE"))
      if (kind === "funcname") functions.push(usedName(value))
      if (kind === "A_Expr") operators.push(usedName(fieldOf(value, "name")))
      if (kind === "ColumnRef") attributes.push(...stringsIn(fieldOf(value, "fields")).slice(1))
      if (kind === "A_Indirection") attributes.push(...stringsIn(fieldOf(value, "indirection")))
      pending.push(value)
    }
  }
  return { functions, operators, attributes }
}

const unlikeReading = (command: string): string =>
  `${command} may change something; only SELECT, VALUES, TABLE and SHOW, and EXPLAIN of these, are run read-only`

/** `CreateTableAsStmt` is CREATE TABLE AS. */
const commandOf = (kind: string, value: unknown): string => {
  const what = fieldOf(value, "kind")
  const removed = fieldOf(value, "removeType")
  if (kind === "TransactionStmt" && typeof what === "string")
    return what.replace("TRANS_STMT_", "").replaceAll("_", " ")
  if (kind === "VariableSetStmt") return typeof what === "string" && what.startsWith("VAR_RESET") ? "RESET" : "SET"
  if (kind === "DropStmt" && typeof removed === "string") return `DROP ${removed.replace("OBJECT_", "")}`
  return kind
    .slice(0, -"Stmt".length)
    .replace(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toUpperCase()
}

const fieldOf = (node: unknown, field: string): unknown =>
  typeof node === "object" && node !== null ? Reflect.get(node, field) : undefined

const usedName = (parts: unknown): UsedName => {
  const names = stringsIn(parts)
  return { schema: names.at(-2) ?? null, name: names.at(-1) ?? "" }
}

const stringsIn = (parts: unknown): ReadonlyArray<string> =>
  Array.isArray(parts)
    ? parts.flatMap((part) => {
        const text = fieldOf(fieldOf(part, "String"), "sval")
        return typeof text === "string" ? [text] : []
      })
    : []
