import { Clock, Context, Effect, FiberHandle, Latch, Layer, Option, type Scope, Semaphore } from "effect"
import type { Browser } from "playwright-core"
import { finalFailure, type PageFailure, transientFailure } from "../net/PageFailure.ts"
import { ScraperStartError, ServerSettings } from "../ScraperConfig.ts"
import { findChromium, isExecutable, launchOptions } from "./chromium.ts"

/** How long the end of a browser is waited for; what has not ended by then is killed by Playwright. */
const closeTimeoutMs = 5_000

/** The browser for as long as the lease lasts. */
export interface BrowserLease {
  readonly browser: Browser
  /** Says that the browser does not do what it is told, so that it is replaced. */
  readonly condemn: () => void
}

/**
 * The one browser process of the server. It is started by the first lease, kept for a while when nobody uses it, and
 * replaced when it has crashed, is condemned, or has grown old or served many; its leases end before the next is started.
 */
export class BrowserProcess extends Context.Service<
  BrowserProcess,
  {
    /** The Chromium that would be started; none if there is none. */
    readonly executable: Option.Option<string>
    readonly lease: Effect.Effect<BrowserLease, PageFailure, Scope.Scope>
  }
>()("@sluice/scraper/rendering/BrowserProcess") {
  static readonly layer: Layer.Layer<BrowserProcess, ScraperStartError, ServerSettings> = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const executable = yield* executableOf(settings.chromium)
      const turn = yield* Semaphore.make(1)
      const idling = yield* FiberHandle.make()
      let current: Running | undefined

      const close = Effect.suspend(() => {
        const { browser } = current ?? {}
        current = undefined
        return browser === undefined ? Effect.void : closed(browser)
      })
      let isClosed = false
      yield* Effect.addFinalizer(() => {
        isClosed = true
        return close
      })

      const start = Effect.gen(function* () {
        if (Option.isNone(executable)) return yield* finalFailure("BROWSER_UNAVAILABLE", "There is no Chromium here")
        const browser = yield* launch(executable.value, settings.browserHeapMiB)
        const running: Running = {
          browser,
          startedAt: yield* Clock.currentTimeMillis,
          unused: Latch.makeUnsafe(true),
          users: 0,
          uses: 0,
          isCondemned: false
        }
        current = running
        return running
      }).pipe(Effect.uninterruptible)

      const isWorn = (running: Running, now: number) =>
        running.isCondemned ||
        !running.browser.isConnected() ||
        running.uses >= settings.maxBrowserUses ||
        now - running.startedAt >= settings.maxBrowserAgeMs

      const acquire = Effect.gen(function* () {
        yield* FiberHandle.clear(idling)
        if (current !== undefined && isWorn(current, yield* Clock.currentTimeMillis)) {
          yield* current.unused.await
          yield* close
        }
        const running = current ?? (yield* start)
        running.users++
        running.uses++
        running.unused.closeUnsafe()
        return running
      })

      const closeUnused = Effect.sleep(settings.browserIdleMs).pipe(
        Effect.andThen(turn.withPermits(1)(Effect.suspend(() => (current?.users === 0 ? close : Effect.void))))
      )
      const release = (running: Running) =>
        Effect.suspend(() => {
          if (--running.users > 0) return Effect.void
          running.unused.openUnsafe()
          if (isClosed) return Effect.void
          return Effect.asVoid(FiberHandle.run(idling, closeUnused))
        })

      return BrowserProcess.of({
        executable,
        lease: Effect.acquireRelease(turn.withPermits(1)(acquire), release, { interruptible: true }).pipe(
          Effect.map((running) => ({
            browser: running.browser,
            condemn: () => {
              running.isCondemned = true
            }
          }))
        )
      })
    })
  )
}

interface Running {
  readonly browser: Browser
  readonly startedAt: number
  /** Open while nobody uses the browser. */
  readonly unused: Latch.Latch
  users: number
  uses: number
  isCondemned: boolean
}

const executableOf = (chromium: string): Effect.Effect<Option.Option<string>, ScraperStartError> => {
  if (chromium === "none") return Effect.succeedNone
  if (chromium === "auto") return Effect.sync(() => findChromium(process.env.PATH ?? ""))
  return isExecutable(chromium)
    ? Effect.succeedSome(chromium)
    : Effect.fail(new ScraperStartError({ message: `There is no Chromium at ${chromium}`, cause: null }))
}

/** Playwright is loaded with the first browser: most runs need neither. */
const launch = (executable: string, heapMiB: number): Effect.Effect<Browser, PageFailure> =>
  Effect.tryPromise({
    try: async () => {
      // Its default export is there, too, where a bundler has left it a CommonJS module.
      const playwright = await import("playwright-core")
      return await playwright.default.chromium.launch(
        launchOptions({ executable, heapMiB, isRoot: process.getuid?.() === 0 })
      )
    },
    catch: (cause) =>
      transientFailure("BROWSER_UNAVAILABLE", `Chromium cannot be started: ${String(cause).split("\n")[0]}`)
  })

const closed = (browser: Browser): Effect.Effect<void> =>
  Effect.tryPromise(() => browser.close()).pipe(Effect.ignore, Effect.timeoutOption(closeTimeoutMs), Effect.asVoid)
