import { Duration, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { exitCodes } from "../CliError.ts"
import { ExitCodeWhenStopped } from "../ExitCodeWhenStopped.ts"
import { millisOf, timeSpanUpTo } from "../TimeSpan.ts"
import { loadServed } from "../worker/ServedPipeline.ts"
import { serve } from "../worker/serve.ts"

/** Shorter leases would pass while a busy process is about to renew them. */
const shortestLease = "5 seconds"

const spanFlag = (
  name: string,
  described: string,
  initial: string,
  shortest: Duration.Input,
  longest: Duration.Input
) =>
  Flag.String(name).pipe(
    Flag.withDescription(described),
    Flag.withSchema(
      Schema.String.check(
        Schema.makeFilter(
          (text) => Schema.is(timeSpanUpTo(longest, ""))(text) && millisOf(text) >= Duration.toMillis(shortest),
          { expected: `a time from ${shortest} to ${longest}` }
        )
      )
    ),
    Flag.withDefault(initial)
  )

/** `sluice worker`: serves the schedules of pipeline files. */
export const worker = Command.make(
  "worker",
  {
    paths: Argument.String("PATH").pipe(
      Argument.withDescription("Pipeline files with a schedule, and directories of such files"),
      Argument.variadic({ min: 1 })
    ),
    concurrency: Flag.Int("concurrency").pipe(
      Flag.withDescription("Most runs at once. Default: 4"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 256 }))),
      Flag.withDefault(4)
    ),
    poll: spanFlag(
      "poll",
      "How often it looks for work, from 200ms to 1m. Default: 2s",
      "2s",
      "200 millis",
      "1 minute"
    ),
    lease: spanFlag(
      "lease",
      "How long a run of a worker that died waits for another worker, from 5s to 10m. Default: 15s",
      "15s",
      shortestLease,
      "10 minutes"
    ),
    port: Flag.Int("port").pipe(
      Flag.withDescription("Serve /livez, /readyz and /metrics on this port; 0 takes a free one, which the log names"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))),
      Flag.optional
    ),
    host: Flag.String("host").pipe(
      Flag.withDescription("With --port: the address to listen on. Default: 127.0.0.1"),
      Flag.withDefault("127.0.0.1")
    )
  },
  Effect.fnUntraced(function* ({ concurrency, host, lease, paths, poll, port }) {
    const served = yield* loadServed(paths)
    const stopped = yield* ExitCodeWhenStopped
    // To be stopped is how a worker ends.
    stopped.code = exitCodes.completed
    yield* serve(served, {
      concurrency,
      pollMs: millisOf(poll),
      leaseMs: millisOf(lease),
      ...(Option.isNone(port) ? {} : { health: { host, port: port.value } })
    })
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Run pipelines by their schedules until it is stopped; any number of workers can share a database"
  )
)
