import type { Ledger } from "@sluice/core"
import { Config, Effect, Option } from "effect"
import * as fc from "fast-check"
import { begin, ledgerCommands } from "./LedgerCommands.ts"
import { LedgerModel } from "./LedgerModel.ts"
import { compareAll } from "./LedgerQuestions.ts"

/** Sequences a ledger is tried on, and on how many when `SLUICE_LONG_TESTS` is set. */
const usualRuns = 50
const soakRuns = 1000
const seed = 20_263
const longestSequence = 40

/**
 * Holds a ledger against a model: any sequence of commands, by current holders, by former ones, after the end and on runs
 * there never were, is answered as the model answers it, and leaves behind what the model holds. A sequence that differs is
 * shrunk to a short one. Wants a ledger without runs.
 */
export const checkAgainstModel = Effect.fn("holdAgainstModel")(function* (ledger: Ledger) {
  const isSoak = Option.isSome(yield* Config.option(Config.String("SLUICE_LONG_TESTS")))
  const perform = Effect.runPromiseWith(yield* Effect.context())
  let generation = 0
  const sequences = fc.commands(ledgerCommands, { maxCommands: longestSequence, size: "max" })
  // without a run there is little to say
  const property = fc.asyncProperty(begin, sequences, (first, sequence) => {
    const model = new LedgerModel(++generation)
    const real = { ledger, perform }
    return first
      .run(model, real)
      .then(() => fc.asyncModelRun(() => ({ model, real }), sequence))
      .then(() => perform(compareAll(model, ledger)))
  })
  yield* Effect.promise(() => fc.assert(property, { seed, numRuns: isSoak ? soakRuns : usualRuns }))
}, Effect.orDie)
