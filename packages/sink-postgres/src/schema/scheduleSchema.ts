import { sql } from "drizzle-orm"
import { index, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core"
import { instant } from "./schemaColumns.ts"

/** Up to which instant the ticks of a pipeline's schedule have been decided. */
export const schedules = pgTable("schedules", {
  pipeline: text("pipeline").primaryKey(),
  decidedUntil: instant("decided_until").notNull().defaultNow()
})

/** The ticks of schedules, and what became of each. */
export const ticks = pgTable(
  "ticks",
  {
    pipeline: text("pipeline").notNull(),
    dueAt: instant("due_at").notNull(),
    startAt: instant("start_at").notNull(),
    runId: uuid("run_id").notNull(),
    state: text("state").notNull(),
    decidedAt: instant("decided_at").notNull().defaultNow()
  },
  (t) => [
    primaryKey({ name: "ticks_pkey", columns: [t.pipeline, t.dueAt] }),
    index("ticks_due_idx").on(t.pipeline, t.startAt).where(sql`${t.state} = 'due'`)
  ]
)
