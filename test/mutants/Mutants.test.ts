import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { mutants } from "./mutants.ts"

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8")

describe("the mutants", () => {
  for (const { file, find, name, named, replace, suite, test } of mutants) {
    it(`still fit the code: ${name}`, () => {
      assert.strictEqual(read(file).split(find).length - 1, 1, `${file} holds the text to replace exactly once`)
      assert.notStrictEqual(find, replace)
      assert.include(read(suite ?? test), named, `${suite ?? test} names the test`)
      assert.notEqual(read(test), "")
    })
  }
})
