import type { Vault } from "@sluice/core"
import { Directory, S3 } from "@sluice/sink-s3"
import type { MachineSettings } from "./ApiSettings.ts"
import type { Machine } from "./Machine.ts"

/** The vault of a pipeline file; none where it names none. */
export const vaultOf = ({ vault }: Pick<MachineSettings, "vault">): Vault | undefined => {
  if (vault?.s3 !== undefined) return S3.vaultFromConfig(vault.s3)
  return vault?.directory === undefined ? undefined : Directory.vault(vault.directory)
}

/** Where segments wait for sinks that lag. */
export const spoolOf = ({ spool }: Pick<Machine, "spool">): Vault => Directory.spool(spool)
