import { LinkSource } from "@sluice/contract"
import { Context, Effect, Layer, Option, Result, Schema, Semaphore } from "effect"
import { type JobFilter, jobFields, jobFolder, matching, newJobId, nowMillis } from "../jobs/Job.ts"
import { openRecordFolder } from "../jobs/RecordFolder.ts"
import { keepSwept } from "../jobs/retention.ts"
import { jobEnded } from "../metrics/Metrics.ts"
import type { PageFailure } from "../net/PageFailure.ts"
import { ServerSettings } from "../ScraperConfig.ts"
import type { StoreError } from "../state/Files.ts"
import { StateStore } from "../state/StateStore.ts"
import { MapSpec, SiteDiscovery } from "./SiteDiscovery.ts"

/** The manifest of a map that was answered; its links are a file beside it. */
export const MapJob = Schema.Struct({
  ...jobFields,
  spec: MapSpec,
  linksCount: Schema.NullOr(Schema.Int),
  durationMs: Schema.Int,
  error: Schema.NullOr(Schema.Struct({ code: Schema.String, message: Schema.String }))
})
export type MapJob = typeof MapJob.Type

const Links = Schema.fromJsonString(Schema.Array(Schema.Struct({ url: Schema.String, source: LinkSource })))
const encodeLinks = Schema.encodeEffect(Links)
export type MapLinks = typeof Links.Type

/** A map as a whole took longer than `mapTimeoutMs`. */
export class MapTimeout extends Schema.TaggedError<MapTimeout>()("MapTimeout", {
  code: Schema.Literal("TIMEOUT"),
  message: Schema.String
}) {}

/** The maps of all keys. A map is answered while the caller waits, and stored as a job once it has ended. */
export class Maps extends Context.Service<
  Maps,
  {
    readonly run: (
      owner: string,
      spec: MapSpec
    ) => Effect.Effect<
      { readonly job: MapJob; readonly links: MapLinks; readonly warnings: ReadonlyArray<string> },
      MapTimeout | PageFailure | StoreError
    >
    readonly find: (owner: string, id: string) => Option.Option<MapJob>
    readonly list: (owner: string, filter: JobFilter) => ReadonlyArray<MapJob>
    /** The links of a completed job; none if they are gone from the disk. */
    readonly links: (job: MapJob) => Effect.Effect<Option.Option<MapLinks>, StoreError>
  }
>()("@sluice/scraper/crawl/Maps") {
  static readonly layer: Layer.Layer<Maps, StoreError, ServerSettings | SiteDiscovery | StateStore> = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const discovery = yield* SiteDiscovery
      const state = yield* StateStore
      const folder = yield* openRecordFolder(state, "map", MapJob, jobFolder(settings))
      yield* keepSwept(() => [folder])
      const slots = yield* Semaphore.make(settings.maxRunningMaps)
      const linksFile = (id: string) => `${folder.place(id)}/links.json`

      return Maps.of({
        run: Effect.fn("Maps.run")(function* (owner, spec) {
          const createdAt = yield* nowMillis
          const found = yield* slots
            .withPermits(1)(discovery.discover(spec))
            .pipe(
              Effect.timeoutOrElse({
                duration: settings.mapTimeoutMs,
                orElse: () =>
                  new MapTimeout({
                    code: "TIMEOUT",
                    message: `The site was not mapped within ${settings.mapTimeoutMs} ms`
                  })
              }),
              Effect.result
            )
          const id = yield* newJobId
          const completedAt = yield* nowMillis
          const job: MapJob = {
            id,
            owner,
            seq: folder.nextSeq(),
            status: Result.isSuccess(found) ? "completed" : "failed",
            createdAt,
            completedAt,
            spec,
            linksCount: Result.isSuccess(found) ? found.success.links.length : null,
            durationMs: completedAt - createdAt,
            error: Result.isSuccess(found) ? null : { code: found.failure.code, message: found.failure.message }
          }
          yield* folder.prepare(id)
          if (Result.isSuccess(found)) {
            yield* state.write(linksFile(id), yield* Effect.orDie(encodeLinks(found.success.links)))
          }
          yield* folder.add(job)
          yield* jobEnded("map", job.status)
          return Result.isSuccess(found) ? { job, ...found.success } : yield* found.failure
        }),
        find: (owner, id) =>
          Option.filter(Option.fromUndefinedOr(folder.records.get(id)), (job) => job.owner === owner),
        list: (owner, filter) => matching(folder.records.values(), owner, filter),
        links: (job) => Effect.map(state.read(linksFile(job.id)), Option.flatMap(Schema.decodeUnknownOption(Links)))
      })
    })
  )
}
