import type { MarkOptions } from "@sluice/core/types"
import { databaseName } from "@sluice/sink-postgres"
import { Directory } from "@sluice/sink-s3"
import { Option } from "effect"
import type { PipelineFile } from "./PipelineFile.ts"

/** Where marks are kept, below the state directory. */
const marksDirectory = "marks"

/** Where it is remembered on this machine how far a pipeline has come, and the name of its ledger there. */
export const marksOf = ({
  ledger,
  machine,
  postgres
}: Pick<PipelineFile, "ledger" | "machine" | "postgres">): MarkOptions => ({
  ledger: Option.match(
    Option.orElse(ledger, () => postgres),
    { onNone: () => "", onSome: databaseName }
  ),
  places: [Directory.marks(`${machine.stateDirectory}/${marksDirectory}`)]
})
