import { Postgres } from "@sluice/sink-postgres"
import { Effect, FileSystem, Path } from "effect"
import { invalid } from "./CliError.ts"
import { namedHome } from "./home.ts"
import { tell } from "./Output.ts"

/** A relative path of a pipeline file, and what is kept there. */
export interface KeptPath {
  readonly kind: "database" | "lake" | "vault" | "scraper"
  readonly path: string
  /** Of a database: the schema its tables are in. */
  readonly schema?: string
}

/** What the choice of a home is about. */
export interface HomeQuestion {
  readonly file: string
  readonly pipeline: string
  /** What relative paths start from by the rule. */
  readonly home: string
  readonly kept: ReadonlyArray<KeptPath>
}

/**
 * The home of a pipeline. Earlier versions started relative paths from the working directory: where runs of the pipeline are
 * there and nothing is beside the file, they are used, with a hint. Where both are, nobody can tell which is right, and the command
 * is refused. `SLUICE_HOME` settles it.
 */
export const chooseHome = Effect.fnUntraced(function* ({ file, home, kept, pipeline }: HomeQuestion) {
  const path = yield* Path.Path
  const here = path.resolve(".")
  if (here === home || (yield* namedHome) !== undefined) return home
  const left = yield* findKept(here, kept, (place, at) => holdsPipeline(place, at, pipeline))
  if (left === undefined) return home
  const beside = yield* findKept(home, kept, exists)
  if (beside !== undefined) {
    return yield* invalid(
      `${file}: runs of pipeline "${pipeline}" may be in ${beside} (beside the file) and in ${left} (in the working directory, where earlier versions kept them): remove or move one of them, or set SLUICE_HOME to the directory that holds the right one`
    )
  }
  yield* tell(
    `sluice: using ${left}, which an earlier version left in the working directory; move ${path.dirname(left)} into ${home}, so that it is found from everywhere`
  )
  return here
})

type Holds = (place: KeptPath, at: string) => Effect.Effect<boolean, never, FileSystem.FileSystem | Path.Path>

/** The first of the kept paths below a directory that holds something. */
const findKept = Effect.fnUntraced(function* (directory: string, kept: ReadonlyArray<KeptPath>, holds: Holds) {
  const path = yield* Path.Path
  for (const place of kept) {
    const at = path.join(directory, place.path)
    if (yield* holds(place, at)) return at
  }
  return undefined
})

/** The file or folder by which a place shows that it is in use. */
const marks = { database: "PG_VERSION", lake: "_sluice", vault: "vault", scraper: "." } as const

const exists: Holds = ({ kind }, at) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    return yield* files.exists(path.join(at, marks[kind])).pipe(Effect.orElseSucceed(() => false))
  })

/** Whether what is kept there is of this pipeline; of what cannot be told, it is assumed. */
const holdsPipeline = Effect.fnUntraced(function* (place: KeptPath, at: string, pipeline: string) {
  const { kind, schema } = place
  if (!(yield* exists(place, at))) return false
  if (kind === "scraper") return true
  if (kind === "database") return yield* knowsPipeline({ directory: at, schema }, pipeline)
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = path.join(at, marks[kind], `pipeline=${pipeline}`)
  return yield* files.exists(folder).pipe(Effect.orElseSucceed(() => false))
})

const noSuchTable = "42P01"

/** Whether an embedded database has runs of the pipeline. One that another process has open, or that is older, may have. */
const knowsPipeline = (
  database: { readonly directory: string; readonly schema: string | undefined },
  pipeline: string
) =>
  Postgres.open(database).pipe(
    Effect.flatMap(({ query }) => query("SELECT 1 FROM runs WHERE pipeline = $1 LIMIT 1", [pipeline])),
    Effect.map((rows) => rows.length > 0),
    Effect.catch(({ reason }) => Effect.succeed(!(reason._tag === "Other" && reason.sqlState === noSuchTable))),
    Effect.scoped
  )
