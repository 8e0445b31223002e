import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type { ScraperError } from "@sluice/core"
import {
  isUnfinished,
  leastTokens,
  notAsked,
  ProbeLog,
  type ProbeLogError,
  type ProbeRequest,
  probeApi
} from "@sluice/core/probe"
import { DirectoryInUse, holdDirectory } from "@sluice/directory-lock"
import { Effect, FileSystem, Option, Path, Schema } from "effect"
import { Argument, Command, Flag, Prompt } from "effect/cli"
import { type ApiAccess, apiAccess } from "../apiAccess.ts"
import { CliError, exitCodes, failed, invalid } from "../CliError.ts"
import { scraperCliError } from "../cliErrors.ts"
import { describeProbe } from "../describeProbe.ts"
import { Environment } from "../Environment.ts"
import { ExitCodeOfCommand } from "../ExitCodeOfCommand.ts"
import { homeOf, stateDirectory } from "../home.ts"
import { printResult, tell } from "../Output.ts"
import { checkPipelineFile } from "../PipelineFile.ts"
import { probeLogFile } from "../probeLogFile.ts"
import { jsonFlag } from "./run.ts"

/** No probe needs more: a crawl of fifty pages says all that a crawl can say. */
const mostTokens = 100
/** Submissions of a probe, one a step. */
const mostSubmissions = 7

const Tokens = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: mostTokens }))

/** `sluice probe`: asks an API the open questions of its contract, within a bound of tokens. */
export const probe = Command.make(
  "probe",
  {
    url: Argument.String("URL").pipe(
      Argument.withDescription("Page to extract and crawl: of a site of yours, with a few pages")
    ),
    file: Flag.String("file").pipe(
      Flag.withDescription("Pipeline file whose api settings are used; the environment wins"),
      Flag.optional
    ),
    profile: Flag.String("profile").pipe(
      Flag.withDescription("Profile to write"),
      Flag.withDefault("sluice-profile.json")
    ),
    tokens: Flag.Int("tokens").pipe(
      Flag.withDescription(
        `Tokens it may be charged at most, 1 to ${mostTokens}; fewer than ${leastTokens} leave questions open`
      ),
      Flag.withSchema(Tokens),
      Flag.withDefault(leastTokens)
    ),
    yes: Flag.Boolean("yes").pipe(Flag.withDescription("Agree to what it may cost"), Flag.withDefault(false)),
    fresh: Flag.Boolean("fresh").pipe(
      Flag.withDescription("Leave a probe that did not end, cancel its jobs, and pay again"),
      Flag.withDefault(false)
    ),
    json: jsonFlag
  },
  Effect.fnUntraced(function* ({ file, fresh, json, profile, tokens, url, yes }) {
    const exit = yield* ExitCodeOfCommand
    const target = yield* readTarget(url)
    const pipeline = Option.isSome(file) ? yield* checkPipelineFile(file) : undefined
    const api = pipeline?.machine.api
    const access = yield* apiAccess(api)
    if (access === undefined) {
      return yield* invalid(
        "there is no API key: set GEONODE_SCRAPER_API_KEY, or name a pipeline file with api.key by --file"
      )
    }
    const home = pipeline?.home ?? (yield* homeOf(undefined))
    const path = yield* Path.Path
    const directory = path.join(home, stateDirectory, "probe")
    yield* agree(access, { target, tokens, yes })
    const files = { profile: path.resolve(profile), cassette: path.join(directory, "cassette.json") }
    yield* assertWritable(files.profile)
    const request: ProbeRequest = {
      ...access,
      target,
      tokens,
      fresh,
      ...(api?.auth === undefined ? {} : { auth: api.auth }),
      onPart: (name) => tell(`sluice: probing ${name}`)
    }
    const found = yield* inDirectory(directory, request)
    yield* writeWhole(files.cassette, JSON.stringify(found.cassette, null, 1))
    yield* writeWhole(files.profile, JSON.stringify(found.profile, null, 2))
    exit.code = found.outOfBalance
      ? exitCodes.stopped_budget
      : found.incomplete
        ? exitCodes.incomplete
        : exitCodes.completed
    const { notes, profile: answers } = found
    yield* printResult(
      json
        ? JSON.stringify({
            ...answers,
            notes,
            not_asked: notAsked,
            profile_file: files.profile,
            cassette_file: files.cassette
          })
        : describeProbe(found, files)
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Ask a Scraper API the open questions of its contract, within a bound of tokens, and write a profile of it"
  )
)

const readTarget = (url: string): Effect.Effect<string, CliError> => {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    return Effect.fail(invalid(`${JSON.stringify(url)} is no http or https URL: name a page of a site of yours`))
  }
  if (parsed.username !== "" || parsed.password !== "") {
    return Effect.fail(invalid("the URL must not carry credentials: they would be sent to the API"))
  }
  return Effect.succeed(parsed.href)
}

/** Says what a probe may cost, and asks for consent: on a terminal by a prompt, elsewhere by `--yes`. */
const agree = Effect.fnUntraced(function* (
  { baseUrl }: ApiAccess,
  { target, tokens, yes }: { readonly target: string; readonly tokens: number; readonly yes: boolean }
) {
  const { isInteractive = false } = yield* Environment
  const origin = URL.canParse(baseUrl) ? new URL(baseUrl).origin : baseUrl
  const cost = `${origin} may charge it up to ${tokens} tokens, for at most ${mostSubmissions} submissions about ${target}`
  yield* tell(`sluice: a probe costs: ${cost}`)
  if (yes) return
  if (!isInteractive) {
    return yield* invalid("a probe is paid for: agree with --yes, or run it on a terminal. Nothing was sent")
  }
  const agreed = yield* Effect.orElseSucceed(Prompt.run(Prompt.Confirm({ message: "Probe it?" })), () => false)
  if (!agreed) return yield* invalid("not agreed to. Nothing was sent")
})

/** Holds the state directory for this probe alone, and resumes the probe that did not end. */
const inDirectory = Effect.fnUntraced(function* (directory: string, request: ProbeRequest) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* files
    .makeDirectory(directory, { recursive: true })
    .pipe(Effect.mapError(() => failed(`${directory} cannot be written to: check its permissions`)))
  yield* Effect.acquireRelease(
    Effect.tryPromise({
      try: () => holdDirectory(directory, { former: { path: path.join(directory, "lock"), format: "pid" } }),
      catch: (cause) =>
        cause instanceof DirectoryInUse
          ? new CliError({
              sentences: [`another probe is under way here (${cause.by}): wait for it`],
              exitCode: exitCodes.halted
            })
          : failed(`${directory} cannot be locked: check its permissions`)
    }),
    (release) => Effect.promise(release)
  )
  const log = yield* probeLogFile(path.join(directory, "log.jsonl")).pipe(
    Effect.mapError(({ message }) => failed(message))
  )
  yield* assertSameProbe(log, request)
  return yield* probeApi(request).pipe(
    Effect.provideService(ProbeLog, log),
    Effect.provide(NodeHttpClient.layerUndici),
    Effect.mapError((error) => whyNot(error, log))
  )
})

/** A probe that did not end is resumed by the same command; another one would ask and pay beside it. */
const assertSameProbe = Effect.fnUntraced(function* (log: ProbeLog["Service"], request: ProbeRequest) {
  const { baseUrl, fresh, target, tokens } = request
  const [begun] = log.entries
  if (fresh === true || !isUnfinished(log.entries) || begun?.entry !== "begun") return
  const origin = new URL(baseUrl).origin
  if (begun.target === target && begun.tokens === tokens && begun.api === origin) {
    return yield* tell("sluice: resuming a probe that did not end; what it has submitted is not submitted again")
  }
  return yield* new CliError({
    sentences: [
      `a probe of ${begun.api} did not end: run "sluice probe ${begun.target} --tokens ${begun.tokens}" against it to resume it, or give --fresh to leave it and pay again`
    ],
    exitCode: exitCodes.halted
  })
})

/** "Invalid" says that nothing was paid for. */
const whyNot = (error: ScraperError | ProbeLogError, log: ProbeLog["Service"]): CliError => {
  if (error._tag === "ProbeLogError") return failed(error.message)
  const { exitCode, sentences } = scraperCliError(error)
  const mayHavePaid = log.entries.some(({ entry }) => entry === "intent")
  if (!mayHavePaid) return new CliError({ exitCode, sentences })
  const resume = "the probe did not end; the same command resumes it, and submits nothing again"
  return failed(`${sentences.join("; ")}; ${resume}`)
}

/** Fails before anything is paid for if the profile could not be written. */
const assertWritable = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* files
    .access(path.dirname(file), { writable: true })
    .pipe(Effect.mapError(() => invalid(`${path.dirname(file)} cannot be written to: name another file by --profile`)))
})

/** A file is there whole or as it was before. */
const writeWhole = Effect.fnUntraced(function* (file: string, text: string) {
  const files = yield* FileSystem.FileSystem
  yield* files.writeFileString(`${file}.tmp`, `${text}\n`).pipe(
    Effect.andThen(files.rename(`${file}.tmp`, file)),
    Effect.mapError(() => failed(`${file} cannot be written: check its permissions and the disk`))
  )
})
