import { defineConfig } from "drizzle-kit"

/** `pnpm generate` writes the SQL of a changed schema into the workspace's `migrations`; no database is asked. */
export default defineConfig({ dialect: "postgresql", schema: "./src/schema/schema.ts", out: "../../migrations" })
