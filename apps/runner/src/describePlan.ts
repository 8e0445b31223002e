import type { Plan, PlannedCall, PlannedStore } from "@sluice/core/types"

const actions: Readonly<Record<Plan["action"], string>> = {
  begin: "begin a run",
  resume: "resume run",
  reread: "read again the jobs of run",
  wait: "wait for run",
  refuse: "none, beside run",
  halt: "none: halted by run",
  unknown: "not known"
}

/** A plan for people. `withStatements` prints the statements, which may be many. */
export const describePlan = (plan: Plan, { withStatements }: { readonly withStatements: boolean }): string => {
  const { action, budget, calls, cost, ledger, notes, run_id: runId, sinks } = plan
  const stores: ReadonlyArray<readonly [string, PlannedStore & Partial<(typeof sinks)[number]>]> = [
    ...sinks.map((sink) => [`sink ${sink.name}`, sink] as const),
    ...(ledger === undefined ? [] : [["ledger", ledger] as const])
  ]
  return [
    line("pipeline", `${plan.pipeline} (config ${plan.config_hash.slice(0, 12)})`),
    ...(plan.api === undefined ? [] : [line("api", plan.api)]),
    line("action", `${actions[action]}${runId === undefined ? "" : ` ${runId}`}: ${plan.because}`),
    line("requests", calls.length === 0 ? "none" : calls.map(describeCall).join("; ")),
    line("cost", describeCost(cost)),
    line("last runs", describeLast(cost)),
    line("budget", budget.length === 0 ? "none" : budget.map(describeBudget).join("; ")),
    ...stores.flatMap(([name, store]) => describeStore(name, store, withStatements)),
    ...notes.map((note) => line("note", note)),
    line("plan", plan.hash)
  ].join("\n")
}

const line = (name: string, text: string): string => `${name.padEnd(10)} ${text}`

const describeCall = ({ method, path, times }: PlannedCall): string => {
  if (times !== null) return `${method} ${path}, ${times === 1 ? "once" : `${times} times`}`
  if (method === "POST") return `${method} ${path}, as often as the map finds pages for`
  return path.endsWith("/jobs") ? `${method} ${path}` : `${method} ${path}, until the job ends`
}

const describeCost = ({ because, most, setting }: Plan["cost"]): string => {
  if (most === null) return `no bound known: ${because}; ${setting} would give one`
  const lower = setting === undefined ? "" : `; ${setting} would give a lower bound`
  return `at most ${most} ${most === 1 ? "token" : "tokens"} (${because})${lower}`
}

const describeLast = ({ last }: Plan["cost"]): string =>
  last.length === 0 ? "none" : last.map(({ status, tokens }) => `${tokens ?? "?"} tokens (${status})`).join(", ")

const describeBudget = ({ bound, left, most, spent }: Plan["budget"][number]): string =>
  `${bound}: ${left} of ${most} left${spent === 0 ? "" : `, ${spent} used by other runs`}`

const describeStore = (
  name: string,
  { changes = [], checks, place, statements }: PlannedStore & Partial<Plan["sinks"][number]>,
  withStatements: boolean
): ReadonlyArray<string> => {
  const inner = (text: string) => line("", text)
  const of = (result: "ok" | "missing" | "unknown") =>
    checks.filter((check) => check.result === result).map(({ what }) => what)
  const told = [
    ["has", of("ok")],
    ["lacks", of("missing")],
    ["not tried", of("unknown")]
  ] as const
  return [
    line(name, place),
    ...changes.map(({ action, what }) => inner(`${action} ${what}`)),
    ...told.filter(([, what]) => what.length > 0).map(([word, what]) => inner(`${word}: ${what.join("; ")}`)),
    ...(statements.length === 0
      ? []
      : withStatements
        ? [
            inner(`executes ${statements.length} statements:`),
            ...statements.map((sql) => `${sql.trim().replace(/;?$/, ";")}`)
          ]
        : [inner(`executes ${statements.length} statements that prepare it (--ddl prints them)`)])
  ]
}
