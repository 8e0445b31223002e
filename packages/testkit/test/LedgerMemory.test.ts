import { makeLedgerMemory } from "@sluice/core"
import { Effect } from "effect"
import { ledgerSuite } from "../src/LedgerSuite.ts"

ledgerSuite("Memory", Effect.sync(makeLedgerMemory))
