// Usage: node .ci/summary.mjs REPORT EXIT_CODE. Ends the output of a test run with `N passed, N failed, N skipped`.
// Plain JavaScript: it must also run where the install that brings the pinned Node has failed.
import { readFileSync } from "node:fs"

const [file, exit] = process.argv.slice(2)
const code = Number(exit)
const say = (line) => process.stdout.write(`${line}\n`)

const count = () => {
  let report
  try {
    report = JSON.parse(readFileSync(file, "utf8"))
  } catch {
    say(`There is no report: the test command ended with ${code} before it could write one.`)
    return { passed: 0, failed: 1, skipped: 0 }
  }
  // A file that cannot be loaded holds no test, so its failure is in no count of tests.
  const broken = report.testResults.filter((suite) => suite.status === "failed" && suite.assertionResults.length === 0)
  for (const suite of broken) say(`${suite.name} could not be loaded.`)
  const failed = report.numFailedTests + broken.length
  const unexplained = failed === 0 && (code !== 0 || !report.success)
  if (unexplained) say(`The test command ended with ${code} although no test failed: counted as one failure.`)
  return {
    passed: report.numPassedTests,
    failed: failed + (unexplained ? 1 : 0),
    skipped: report.numPendingTests + report.numTodoTests
  }
}

const { failed, passed, skipped } = count()
say(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exitCode = failed > 0 ? code || 1 : 0
