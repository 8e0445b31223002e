import { Context, Effect, Layer } from "effect"
import { type ScraperStartError, ServerSettings } from "../ScraperConfig.ts"
import { openDirectoryState } from "./DirectoryState.ts"
import { openPostgresState } from "./postgres/PostgresState.ts"
import type { State } from "./State.ts"
import { StateDir } from "./StateDir.ts"

/** The state, in a Postgres database or a directory, held by this server alone while it runs. */
export class StateStore extends Context.Service<StateStore, State>()("@sluice/scraper/state/StateStore") {
  static readonly layer: Layer.Layer<StateStore, ScraperStartError, ServerSettings> = Layer.unwrap(
    Effect.map(ServerSettings, (settings) =>
      settings.stateUrl === undefined
        ? Layer.effect(
            this,
            Effect.map(StateDir, ({ path }) => openDirectoryState(path))
          ).pipe(Layer.provide(StateDir.layer))
        : Layer.effect(this, openPostgresState(settings.stateUrl, settings))
    )
  )
}
