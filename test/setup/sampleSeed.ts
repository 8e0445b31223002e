// Not through the package: its entry also holds test suites, which load only inside a test.
import { sampleSeed } from "../../packages/testkit/src/dailySample.ts"

/** Gives all processes of a test run one seed, and prints it. See `dailySample`. */
export default (): void => {
  if (process.env.SLUICE_SAMPLE_SEED !== undefined) process.stdout.write(`Sample seed ${sampleSeed}, as given.\n`)
  process.env.SLUICE_SAMPLE_SEED = String(sampleSeed)
}
