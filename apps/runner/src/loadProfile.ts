import { type ApiProfile, type ClientSettings, clientSettings, decodeProfile } from "@sluice/core/probe"
import { Effect, FileSystem } from "effect"
import { type CliError, invalid } from "./CliError.ts"
import type { Machine } from "./Machine.ts"

/** Larger files are no profiles. */
const largestProfile = 1024 * 1024

/** The profile of an API that `sluice probe` has written. */
const loadProfile = Effect.fnUntraced(function* (
  file: string
): Effect.fn.Return<ApiProfile, CliError, FileSystem.FileSystem> {
  const files = yield* FileSystem.FileSystem
  const unreadable = () => invalid(`api.profile: ${file} cannot be read: write it with "sluice probe"`)
  const { size } = yield* files.stat(file).pipe(Effect.mapError(unreadable))
  if (size > largestProfile) return yield* invalid(`api.profile: ${file} is larger than a profile can be (1 MiB)`)
  const text = yield* files.readFileString(file).pipe(Effect.mapError(unreadable))
  return yield* decodeProfile(text).pipe(
    Effect.mapError(() =>
      invalid(
        `api.profile: ${file} is no profile that this version of Sluice reads: write it again with "sluice probe"`
      )
    )
  )
})

/** What the client is set to by the profile that a pipeline file names; undefined where it names none. */
export const profileSettings = ({
  api
}: Pick<Machine, "api">): Effect.Effect<ClientSettings | undefined, CliError, FileSystem.FileSystem> =>
  api?.profile === undefined ? Effect.succeed(undefined) : Effect.map(loadProfile(api.profile), clientSettings)
