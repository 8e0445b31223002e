// Usage: pnpm docs:reference. Writes the pages of the reference that are generated; a test fails while one is stale.
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { repositoryRoot } from "../house/SourceTree.ts"
import { generatedPages } from "./generatedPages.ts"

for (const { path, text } of await Effect.runPromise(generatedPages)) writeFileSync(join(repositoryRoot, path), text)
