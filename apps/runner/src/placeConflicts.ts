import { sep } from "node:path"
import type { ConfigIssue } from "@sluice/core/config"
import type { Machine } from "./Machine.ts"
import type { PipelineSinks } from "./PipelineSinks.ts"

/** Places of a file that would write over each other. */
export const placeConflicts = (
  { places: written }: Pick<PipelineSinks, "places">,
  { spool, vault }: Pick<Machine, "spool" | "vault">,
  absolute: (path: string) => string
): ReadonlyArray<ConfigIssue> => {
  const places = written.map((place) =>
    place.directory === undefined
      ? place
      : {
          ...place,
          key: place.key.replace(place.directory, absolute(place.directory)),
          directory: absolute(place.directory)
        }
  )
  const twice = places.flatMap(({ key }, index): ReadonlyArray<ConfigIssue> => {
    const earlier = places.findIndex((other) => other.key === key)
    return earlier === index
      ? []
      : [{ path: ["sinks", index], message: `writes to the same place as sinks.${earlier}: give it another one` }]
  })
  const databases = places.flatMap(({ directory, isDatabase }) =>
    isDatabase && directory !== undefined ? [directory] : []
  )
  const others = [
    ...places.flatMap(({ directory, isDatabase }, index) =>
      directory === undefined || isDatabase ? [] : [{ path: ["sinks", index], directory }]
    ),
    ...(vault?.directory === undefined
      ? []
      : [{ path: ["vault", "directory"], directory: absolute(vault.directory.path) }]),
    { path: ["spool", "path"], directory: absolute(spool.path) }
  ]
  const inDatabase = others
    .filter(({ directory }) => databases.some((database) => `${directory}${sep}`.startsWith(`${database}${sep}`)))
    .map(({ path }) => ({ path, message: "is inside the directory of an embedded database: name another one" }))
  const vaultAt = vault?.directory === undefined ? undefined : absolute(vault.directory.path)
  const shared =
    vaultAt === absolute(spool.path)
      ? [
          {
            path: ["spool", "path"],
            message: "is the vault's directory, and what has been loaded is removed from a spool"
          }
        ]
      : []
  return [...twice, ...inDatabase, ...shared]
}
