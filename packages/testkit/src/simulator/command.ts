import { writeFileSync } from "node:fs"
import { Console, Effect, Option, Redacted, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { type FaultRates, faultProfiles, faultRules } from "./FaultProfiles.ts"
import { crawlHistory, type JobHistory, stale, unknownAtFirst } from "./JobHistory.ts"
import { misbehaviourNames } from "./Misbehaviours.ts"
import { listOrders, reordering } from "./reordering.ts"
import { Simulator } from "./Simulator.ts"
import { makeSite } from "./SiteModel.ts"

const Rate = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Positive = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

const count = (name: string, description: string, value: number) =>
  Flag.Int(name).pipe(Flag.withDescription(description), Flag.withSchema(Count), Flag.withDefault(value))

const share = (name: string, description: string) =>
  Flag.Finite(name).pipe(Flag.withDescription(description), Flag.withSchema(Rate), Flag.withDefault(0))

/** A rate of the profile's, unless it is given. */
const rate = (name: string, description: string) =>
  Flag.Finite(name).pipe(Flag.withDescription(`${description}, 0 to 1`), Flag.withSchema(Rate), Flag.optional)

const flags = {
  host: Flag.String("host").pipe(Flag.withDescription("Address to listen on"), Flag.withDefault("127.0.0.1")),
  port: count("port", "Port to listen on, 0 for a free one", 0),
  key: Flag.String("key").pipe(Flag.withDescription("The key to let in"), Flag.withDefault("simulator-key")),
  seed: count("seed", "Decides ids, contents and everything random", 1),
  pages: Flag.Int("pages").pipe(
    Flag.withDescription("Pages of the site"),
    Flag.withSchema(Positive),
    Flag.withDefault(25)
  ),
  bodyBytes: count("body-bytes", "About how many bytes of Markdown a page has", 200),
  failed: share("failed", "Share of pages that cannot be fetched, 0 to 1"),
  growth: Flag.Int("growth").pipe(
    Flag.withDescription("Pages of a crawl that end from one poll to the next"),
    Flag.withSchema(Positive),
    Flag.withDefault(10)
  ),
  order: Flag.Literals("order", listOrders).pipe(
    Flag.withDescription("How a running crawl lists its pages"),
    Flag.withDefault("steady")
  ),
  repeated: share("repeated", "Share of pages that a running crawl lists twice, 0 to 1"),
  stale: share("stale", "Share of polls of a crawl that show it as it was before, 0 to 1"),
  unknownPolls: count("unknown-polls", "Polls of a new crawl that are answered with 404", 0),
  listLag: count("list-lag", "Reads of a job list that do not show a new job yet", 0),
  balance: Flag.Int("balance").pipe(
    Flag.withDescription("Tokens of the account; once they are charged or reserved, submissions are answered with 402"),
    Flag.withSchema(Count),
    Flag.optional
  ),
  faults: Flag.Literals("faults", ["calm", "busy", "hostile"]).pipe(
    Flag.withDescription("How often requests go wrong; single rates win"),
    Flag.withDefault("calm")
  ),
  throttled: rate("rate-429", "Requests answered with 429"),
  broken: rate("rate-5xx", "Reads answered with 500, 502 or 503"),
  reset: rate("rate-reset", "Reads whose connection is reset"),
  truncated: rate("rate-truncate", "Reads whose body breaks off"),
  slow: rate("rate-slow", "Reads answered late"),
  dripping: rate("rate-drip", "Reads answered in small pieces"),
  lostPost: rate("rate-lost-post", "Submissions that take effect and whose answer is lost"),
  slowMillis: count("slow-ms", "How late a late answer comes, in milliseconds", 50),
  misbehave: Flag.Literals("misbehave", misbehaviourNames).pipe(
    Flag.withDescription("What the API does that its contract does not say; may be given more than once"),
    Flag.between(0, misbehaviourNames.length)
  ),
  charges: Flag.String("charges").pipe(
    Flag.withDescription("File the books are written to, as JSON, when the simulator ends"),
    Flag.optional
  )
}

/** The version `sluice-simulator --version` prints. */
export const version = "0.1.0"

/** The command: serves until it is interrupted, then writes its books if asked to. */
export const simulatorCommand = Command.make(
  "sluice-simulator",
  flags,
  Effect.fnUntraced(function* (config) {
    const { balance, bodyBytes, charges, failed, growth, host, key, listLag, pages, port, seed } = config
    const site = makeSite({ seed, pages, bodyBytes, failureRate: failed })
    const given = { ...faultProfiles[config.faults], ...ratesOf(config) }
    const simulator = yield* Simulator.make({
      host,
      port,
      seed,
      apiKey: key,
      site,
      listLag,
      misbehave: config.misbehave,
      faults: faultRules(given, config.slowMillis),
      ...(Option.isSome(balance) ? { balance: balance.value } : {}),
      crawl: ({ depth, limit }, n): JobHistory => {
        const pace = {
          perPoll: growth,
          ...(limit === undefined ? {} : { limit }),
          ...(depth === undefined ? {} : { depth })
        }
        const moving = reordering({ ...config, seed: seed + n }, crawlHistory(site, pace))
        const late = config.stale === 0 ? moving : stale({ seed: seed + n, probability: config.stale, back: 3 }, moving)
        return unknownAtFirst(config.unknownPolls, late)
      }
    })
    if (Option.isSome(charges)) {
      const file = charges.value
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => writeFileSync(file, `${JSON.stringify(simulator.charges, null, 2)}\n`))
      )
    }
    yield* Console.log(
      JSON.stringify({ base_url: simulator.baseUrl, api_key: Redacted.value(simulator.apiKey), site: site.url })
    )
    return yield* Effect.never
  }, Effect.scoped)
).pipe(Command.withDescription("Serves a fake of the Scraper API that goes wrong as asked and keeps books"))

const ratesOf = (config: { readonly [K in keyof FaultRates]: Option.Option<number> }): Partial<FaultRates> => {
  const names = ["throttled", "broken", "reset", "truncated", "slow", "dripping", "lostPost"] as const
  return Object.fromEntries(names.flatMap((name) => (Option.isSome(config[name]) ? [[name, config[name].value]] : [])))
}
