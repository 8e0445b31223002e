import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Postgres } from "@sluice/sink-postgres"
import { Config, Console, Effect, Schema } from "effect"
import { collectGarbage } from "../../../packages/sink-s3/src/collectGarbage.ts"
import { directoryStore } from "../../../packages/sink-s3/src/DirectoryStore.ts"
import { openS3Store } from "../../../packages/sink-s3/src/openS3Store.ts"
import { Executioner } from "../Executioner.ts"
import { Order } from "./Order.ts"
import { type Phase, phased } from "./Phase.ts"
import { perilousDatabase, stepOfMigration, stepOfReplay } from "./perilousDatabase.ts"
import { perilousGarbage } from "./perilousGarbage.ts"

/** Does what one command does, to the end or to its death; prints how often it met each phase. */
const main = Effect.gen(function* () {
  const { death, task } = yield* Config.schema(Schema.fromJsonString(Order), "ORDER")
  const fate = new Executioner<Phase>(death?.phase, death?.nth ?? 1)
  switch (task.command) {
    case "migrate":
      yield* Postgres.migrate(perilousDatabase(yield* Postgres.open(task.tables), fate, stepOfMigration))
      break
    case "dlq replay": {
      const database = yield* Postgres.open(task.tables)
      yield* Postgres.migrate(database)
      yield* Postgres.deadLetters(perilousDatabase(database, fate, stepOfReplay)).replay({})
      break
    }
    case "gc": {
      const { lake, ledger: url, pipeline } = task
      const isFolder = "directory" in lake
      const store = isFolder ? directoryStore(lake.directory.path) : yield* openS3Store(lake.s3)
      const ledger = Postgres.ledger(yield* Postgres.open({ url }))
      // As the command asks it.
      const isKept = Effect.fnUntraced(function* (runId: string) {
        if ((yield* ledger.open({ runId })) !== undefined) return true
        return (yield* ledger.unpublished(pipeline)).some((run) => run.runId === runId)
      })
      const asked = (runId: string) => phased(fate, "question", isKept(runId))
      yield* collectGarbage(perilousGarbage(store, fate, isFolder), { pipeline, isKept: asked, olderThan: 0 })
    }
  }
  yield* Console.log(JSON.stringify(Object.fromEntries(fate.met)))
}).pipe(Effect.scoped)

if (import.meta.main) NodeRuntime.runMain(main)
