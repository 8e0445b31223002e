import { readFileSync } from "node:fs"
import { join } from "node:path"
import { getTableName, is, Table } from "drizzle-orm"
import { getTableConfig, PgTable } from "drizzle-orm/pg-core"
import * as schema from "../src/schema/schema.ts"

const folder = join(import.meta.dirname, "../../../migrations")

interface Journal {
  readonly entries: ReadonlyArray<{ readonly tag: string }>
}

/** The source of `src/database/migrations.generated.ts`: the workspace's `migrations`, which a published package cannot reach. */
export const embedMigrations = (): string => {
  const journal: Journal = JSON.parse(readFileSync(join(folder, "meta/_journal.json"), "utf8"))
  const entries = journal.entries.map(({ tag }) => {
    const sql = readFileSync(join(folder, `${tag}.sql`), "utf8").replaceAll("--> statement-breakpoint", "")
    return `  {\n    id: "${tag}",\n    sql: \`${sql.replace(/[\\`]|\$\{/g, "\\$&")}\`\n  }`
  })
  const tables = Object.values(schema)
    .filter((value) => is(value, Table))
    .map((table) => `  "${getTableName(table)}"`)
    .sort()
  const shapes = Object.values(schema)
    .filter((value) => is(value, PgTable))
    .map((table) => getTableConfig(table))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((table) => {
      const columns = table.columns.map((column) => `      ${column.name}: "${column.getSQLType()}"`).join(",\n")
      const keys = [
        ...table.columns.filter(({ primary }) => primary).map(({ name }) => [name]),
        ...table.primaryKeys.map((key) => key.columns.map(({ name }) => name)),
        ...table.columns.filter(({ isUnique }) => isUnique).map(({ name }) => [name]),
        ...table.uniqueConstraints.map((key) => key.columns.map(({ name }) => name))
      ].map((names) => `[${names.map((name) => `"${name}"`).join(", ")}]`)
      return `  ${table.name}: {\n    columns: {\n${columns}\n    },\n    keys: [${keys.join(", ")}]\n  }`
    })
  const views = new Set(
    journal.entries.flatMap(({ tag }) =>
      [...readFileSync(join(folder, `${tag}.sql`), "utf8").matchAll(/^CREATE (?:OR REPLACE )?VIEW "?(\w+)"?/gm)].map(
        ([, name]) => `  "${name}"`
      )
    )
  )
  return `// Written by scripts/writeMigrations.ts from the workspace's migrations; not edited by hand.

/** One step of the database's preparation; ids sort in the order of application. */
export interface Migration {
  readonly id: string
  readonly sql: string
}

/** The tables they make; kept here because drizzle's schema costs 200 MB to import. */
export const tableNames: ReadonlyArray<string> = [\n${tables.join(",\n")}\n]

/** The columns of each, with their types, and the columns that together name a row. */
export const tableShapes: Readonly<
  Record<
    string,
    { readonly columns: Readonly<Record<string, string>>; readonly keys: ReadonlyArray<ReadonlyArray<string>> }
  >
> = {\n${shapes.join(",\n")}\n}

/** The views they make. */
export const viewNames: ReadonlyArray<string> = [\n${[...views].sort().join(",\n")}\n]

/** Every migration this build knows. */
export const migrations: ReadonlyArray<Migration> = [\n${entries.join(",\n")}\n]\n`
}
