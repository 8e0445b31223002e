import type { SinkFactories } from "@sluice/core/config"
import { embeddedDirectory, Postgres, PostgresSinkConfig } from "@sluice/sink-postgres"
import { Directory, DirectorySinkConfig, S3, S3SinkConfig } from "@sluice/sink-s3"
import { Redacted } from "effect"
import type { KeptPath } from "./legacyHome.ts"

/** A sink of objects, as its package's own functions take it. */
export type Lake =
  | { readonly kind: "s3"; readonly options: S3SinkConfig }
  | { readonly kind: "directory"; readonly options: DirectorySinkConfig }

/** The sinks of one pipeline file: how each kind is made, and what the file says of those that were. */
export interface PipelineSinks {
  readonly factories: SinkFactories
  readonly postgres: ReadonlyArray<PostgresSinkConfig>
  readonly lakes: ReadonlyArray<Lake>
  /** Where those that are directories keep what they write, as the file says it. */
  readonly kept: ReadonlyArray<KeptPath>
  /** Where each of the sinks writes, in their order. */
  readonly places: ReadonlyArray<SinkPlace>
}

/** Where a sink writes. Two sinks of one place would write over each other. */
export interface SinkPlace {
  readonly key: string
  /** The directory it is in, where it is on this machine. */
  readonly directory?: string
  readonly isDatabase: boolean
}

/** Sinks whose relative paths are made absolute by `resolve`. */
export const pipelineSinks = (resolve: (path: string) => string): PipelineSinks => {
  const postgres: Array<PostgresSinkConfig> = []
  const lakes: Array<Lake> = []
  const kept: Array<KeptPath> = []
  const places: Array<SinkPlace> = []
  const factories: SinkFactories = [
    {
      kind: "postgres",
      schema: PostgresSinkConfig,
      make: (written: PostgresSinkConfig) => {
        const { directory = embeddedDirectory, schema, url } = written
        if (url !== undefined) {
          places.push({ key: `${serverOf(Redacted.value(url))} ${schema}`, isDatabase: true })
          postgres.push(written)
          return Postgres.fromConfig(written)
        }
        kept.push({ kind: "database", path: directory, schema })
        const config = { ...written, directory: resolve(directory) }
        places.push({ key: `${config.directory} ${schema}`, directory: config.directory, isDatabase: true })
        postgres.push(config)
        return Postgres.fromConfig(config)
      }
    },
    {
      kind: "s3",
      schema: S3SinkConfig,
      make: (options: S3SinkConfig) => {
        const { bucket, endpoint = "", prefix } = options
        places.push({ key: `${endpoint} ${bucket}/${prefix}`, isDatabase: false })
        lakes.push({ kind: "s3", options })
        return S3.fromConfig(options)
      }
    },
    {
      kind: "directory",
      schema: DirectorySinkConfig,
      make: (written: DirectorySinkConfig) => {
        kept.push({ kind: "lake", path: written.path })
        const options = { ...written, path: resolve(written.path) }
        places.push({ key: options.path, directory: options.path, isDatabase: false })
        lakes.push({ kind: "directory", options })
        return Directory.fromConfig(options)
      }
    }
  ]
  return { factories, postgres, lakes, kept, places }
}

/** Host, port and database of an address, or the address as it is. */
const serverOf = (address: string): string => {
  if (!URL.canParse(address)) return address
  const { host, pathname } = new URL(address)
  return `${/:\d+$/.test(host) ? host : `${host}:5432`}${pathname}`
}
