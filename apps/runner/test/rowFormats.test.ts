import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import stringWidth from "string-width"
import { type RowFormat, rowEncoder } from "../src/rowFormats.ts"

const text = (name: string) => ({ name, type: 25 })

/** What a format makes of rows that come in batches. */
const encode = async (
  format: RowFormat,
  columns: ReadonlyArray<{ name: string; type: number }>,
  batches: ReadonlyArray<ReadonlyArray<ReadonlyArray<unknown>>>,
  cell?: number
): Promise<string> => {
  const encoder = rowEncoder(format, { cell })
  const chunks = [await encoder.begin(columns), ...batches.map((rows) => encoder.rows(rows)), encoder.end()]
  return chunks.map((chunk) => (typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("latin1"))).join("")
}

/** Fields of a CSV by RFC 4180, alone to compare with. */
const parseCsv = (csv: string): ReadonlyArray<ReadonlyArray<string>> => {
  const rows: Array<Array<string>> = []
  let fields: Array<string> = []
  let at = 0
  while (at < csv.length) {
    let field = ""
    if (csv[at] === '"') {
      for (at++; csv[at] !== '"' || csv[at + 1] === '"'; at++) {
        if (csv[at] === '"') at++
        field += csv[at]
      }
      at++
    } else for (; at < csv.length && !",\r".includes(csv[at]!); at++) field += csv[at]
    fields.push(field)
    if (csv[at] === ",") at++
    else {
      assert.strictEqual(csv.slice(at, at + 2), "\r\n")
      at += 2
      rows.push(fields)
      fields = []
    }
  }
  return rows
}

describe("rows as CSV", () => {
  it("follow RFC 4180: CRLF, quotes where they are needed, an empty text apart from null", async () => {
    assert.strictEqual(
      await encode(
        "csv",
        [text("a"), text("b,c"), text("d")],
        [
          [["x", 'say "hi"', null]],
          [
            ["two\nlines", "", true],
            [1.5, { n: [1] }, ["a", null]]
          ]
        ]
      ),
      'a,"b,c",d\r\nx,"say ""hi""",\r\n"two\nlines","",true\r\n1.5,"{""n"":[1]}","[""a"",null]"\r\n'
    )
    assert.strictEqual(await encode("csv", [text("a")], [[]]), "a\r\n")
  })

  it("come back whole, whatever they hold and however they are batched", async () => {
    const cell = fc.string({ unit: "grapheme", maxLength: 12 })
    const rows = fc.array(fc.tuple(cell, fc.constantFrom('"', "\r", "\n", ",", "\r\n", " ", "x")), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(rows, rows, async (one, two) => {
        const csv = await encode("csv", [text("a"), text("b")], [one, two])
        assert.deepStrictEqual(parseCsv(csv), [["a", "b"], ...one, ...two])
      })
    )
  })
})

describe("rows as JSON", () => {
  it("are one array or one object a line, and no column takes another's name", async () => {
    const columns = [text("a"), text("a"), text("a_2")]
    const batches = [[[1, null, { b: "c" }]], [["x", [1], "y"]]]
    const lines = ['{"a":1,"a_2":null,"a_2_2":{"b":"c"}}', '{"a":"x","a_2":[1],"a_2_2":"y"}']
    assert.strictEqual(await encode("jsonl", columns, batches), `${lines.join("\n")}\n`)
    assert.strictEqual(await encode("json", columns, batches), `[${lines.join(",")}]\n`)
    assert.strictEqual(await encode("json", columns, [[]]), "[]\n")
    assert.strictEqual(await encode("jsonl", columns, [[]]), "")
  })
})

describe("rows as Markdown", () => {
  it("are a table in which nothing that a page holds means anything", async () => {
    assert.strictEqual(
      await encode(
        "markdown",
        [text("a|b"), text("c")],
        [
          [
            ["x|y\nz", "<img src=x>"],
            [null, "[a](b)"]
          ]
        ]
      ),
      "| a\\|b | c |\n| --- | --- |\n| x\\|y<br>z | \\<img src=x\\> |\n|  | \\[a\\](b) |\n"
    )
  })
})

describe("rows as a table", () => {
  it("line up by what is seen, and are cut on a terminal alone", async () => {
    const rows = [
      [
        ["日本語", 1],
        ["x".repeat(80), 2]
      ]
    ]
    const whole = await encode("table", [text("t"), text("n")], rows)
    assert.include(whole, "x".repeat(80))
    const cut = await encode("table", [text("t"), text("n")], rows, 10)
    const [head, rule, first, second] = cut.split("\n")
    assert.deepStrictEqual([head, rule, first], ["t           n", "----------  -", "日本語      1"])
    assert.strictEqual(stringWidth(second ?? ""), 13)
    assert.strictEqual(await encode("table", [text("t")], [[]]), "(no rows)\n")
  })

  it("do not wait for the last row, and hold what a page would do to a terminal back", async () => {
    const encoder = rowEncoder("table", { cell: 60 })
    await encoder.begin([text("t")])
    let characters = 0
    for (let batch = 0; batch < 10; batch++) {
      characters += encoder.rows(Array.from({ length: 1_000 }, () => ["\u001b[2Jx"])).length
      assert.isAbove(characters, 1_000 * batch)
    }
    assert.notInclude(await encode("table", [text("t")], [[["\u001b[2Jx\ty"]]]), "\u001b")
  })
})

describe("rows as Parquet", () => {
  it("say what type cannot hold a value", async () => {
    const encoder = rowEncoder("parquet", { cell: undefined })
    await encoder.begin([{ name: "at", type: 1184 }])
    assert.throws(() => encoder.rows([["infinity"]]), /column "at" holds a time that Parquet has no value for/)
  })
})
