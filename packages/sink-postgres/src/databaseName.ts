import { hash } from "node:crypto"
import { resolve } from "node:path"
import { Redacted, Result } from "effect"
import { parseConnectionString } from "./database/ConnectionString.ts"
import { embeddedDirectory } from "./PostgresSinkConfig.ts"

/** Which database a ledger or a sink is in. */
export interface DatabasePlace {
  readonly url?: Redacted.Redacted
  readonly directory?: string
  readonly schema: string
}

/** Hexadecimal digits of a name: as good as none collide. */
const digits = 16

/**
 * A name for a database, the same for the same place, whatever role connects to it. It holds neither the address nor a secret, only a hash
 * of host, port, database and schema, or of the directory and the schema.
 */
export const databaseName = ({ directory = embeddedDirectory, schema, url }: DatabasePlace): string => {
  const parameters = url === undefined ? undefined : Result.getOrUndefined(parseConnectionString(Redacted.value(url)))
  const place =
    url === undefined
      ? [resolve(directory)]
      : ["host", "hostaddr", "port", "dbname"].map((name) => parameters?.get(name) ?? "")
  return hash("sha256", JSON.stringify([...place, schema]), "hex").slice(0, digits)
}
