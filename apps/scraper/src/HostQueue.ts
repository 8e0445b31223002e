import { Clock, Context, Effect, Layer, Semaphore } from "effect"
import { ServerSettings } from "./ScraperConfig.ts"

/**
 * Politeness: how many requests a host gets at once and how far apart they start, and how many requests are open over
 * all hosts. Waiting for a host holds no global permit, so one slow host does not stop the others.
 */
export class HostQueue extends Context.Service<
  HostQueue,
  {
    /** Runs a request to `host` in its turn; it starts at least `delayMs` before the next one to that host. */
    readonly run: <A, E, R>(host: string, delayMs: number, request: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  }
>()("@sluice/scraper/HostQueue") {
  static readonly layer: Layer.Layer<HostQueue, never, ServerSettings> = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const open = yield* Semaphore.make(settings.concurrency)
      const hosts = new Map<string, Host>()

      const enter = (name: string) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          if (hosts.size > 1000) {
            for (const [key, host] of hosts) if (host.users === 0 && host.nextStart <= now) hosts.delete(key)
          }
          const host = hosts.get(name) ?? {
            turns: Semaphore.makeUnsafe(settings.hostConcurrency),
            nextStart: 0,
            users: 0
          }
          hosts.set(name, host)
          host.users++
          return host
        })

      const untilTurn = Effect.fnUntraced(function* (host: Host, delayMs: number) {
        const now = yield* Clock.currentTimeMillis
        const start = Math.max(now, host.nextStart)
        host.nextStart = start + delayMs
        if (start > now) yield* Effect.sleep(start - now)
      })

      return HostQueue.of({
        run: (name, delayMs, request) =>
          Effect.acquireUseRelease(
            enter(name),
            (host) => host.turns.withPermits(1)(Effect.andThen(untilTurn(host, delayMs), open.withPermits(1)(request))),
            (host) => Effect.sync(() => void host.users--)
          )
      })
    })
  )
}

interface Host {
  readonly turns: Semaphore.Semaphore
  nextStart: number
  users: number
}
