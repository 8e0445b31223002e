import { embeddedDirectory } from "@sluice/sink-postgres"
import { SpoolConfig } from "@sluice/sink-s3"
import { Schema } from "effect"
import type { LedgerSettings, MachineSettings } from "./ApiSettings.ts"
import { stateDirectory } from "./home.ts"
import type { KeptPath } from "./legacyHome.ts"

/** What a pipeline file says of the machine, with its paths where they are. */
export interface Machine extends Omit<MachineSettings, "ledger" | "schedule"> {
  readonly spool: typeof SpoolConfig.Type
  /** Where the embedded scraper keeps its state. */
  readonly stateDirectory: string
}

const standardSpool = Schema.decodeSync(SpoolConfig)({})

/** Where a machine keeps what it writes in directories, as the file says it. */
export const keptByMachine = ({ ledger, spool = standardSpool, vault }: MachineSettings): ReadonlyArray<KeptPath> => [
  ...(ledger === undefined || ledger.url !== undefined
    ? []
    : [{ kind: "database" as const, path: ledger.directory ?? embeddedDirectory, schema: ledger.schema }]),
  ...(vault?.directory === undefined ? [] : [{ kind: "vault" as const, path: vault.directory.path }]),
  { kind: "vault", path: spool.path }
]

/** What the embedded scraper keeps: all there is to go by where the database is a server. */
export const keptByScraper: KeptPath = { kind: "scraper", path: `${stateDirectory}/scraper` }

/** The ledger's settings, with its directory where it is. */
export const ledgerAt = (ledger: LedgerSettings, resolve: (path: string) => string): LedgerSettings =>
  ledger.url === undefined ? { ...ledger, directory: resolve(ledger.directory ?? embeddedDirectory) } : ledger

/** The machine of a pipeline file whose relative paths are made absolute by `resolve`. */
export const machineOf = (
  { api, embedded, notify, spool = standardSpool, vault }: MachineSettings,
  resolve: (path: string) => string
): Machine => ({
  ...(api === undefined ? {} : { api: api.profile === undefined ? api : { ...api, profile: resolve(api.profile) } }),
  ...(embedded === undefined ? {} : { embedded }),
  ...(notify === undefined ? {} : { notify }),
  ...(vault === undefined
    ? {}
    : {
        vault: {
          ...vault,
          ...(vault.directory === undefined
            ? {}
            : { directory: { ...vault.directory, path: resolve(vault.directory.path) } })
        }
      }),
  spool: { ...spool, path: resolve(spool.path) },
  stateDirectory: resolve(stateDirectory)
})
