import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { embedMigrations } from "./embedMigrations.ts"

writeFileSync(join(import.meta.dirname, "../src/database/migrations.generated.ts"), embedMigrations())
