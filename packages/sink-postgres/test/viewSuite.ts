import { assert, describe, it } from "@effect/vitest"
import { sampleRecord, startRun } from "@sluice/testkit"
import { Effect } from "effect"
import { type Place, sinkIn } from "./databases.ts"

const url = (page: string) => `https://a.example/${page}`

/** What readers are shown beyond what the suites of the modes read. */
export const viewSuite = (name: string, place: Effect.Effect<Place>): void => {
  describe(`${name}: views`, () => {
    it.effect("show the latest job's row of each page in append", () =>
      Effect.gen(function* () {
        const { sink, database } = yield* sinkIn(yield* place, "append")
        const { write } = yield* startRun(sink, yield* sink.connect)
        const links = (jobId: string) => [`https://b.example/${jobId}`]
        const record = (page: string, jobId: string) =>
          sampleRecord(url(page), {
            jobId,
            markdown: jobId,
            links: links(jobId),
            httpStatus: jobId === "job-1" ? 200 : 201
          })
        yield* write(
          0,
          ["both", "first"].map((page) => record(page, "job-1"))
        )
        yield* write(
          1,
          ["both", "second"].map((page) => record(page, "job-2"))
        )
        assert.deepStrictEqual(
          yield* database.query(
            `SELECT p.url, p.markdown, l.url AS link, m.http_status FROM current_pages p
             JOIN current_links l USING (set_no, page_key) JOIN current_page_metadata m USING (set_no, page_key)
             WHERE p.pipeline = 'suite' AND p.sink = 'postgres' ORDER BY p.url`
          ),
          [
            { url: url("both"), markdown: "job-2", link: "https://b.example/job-2", http_status: 201 },
            { url: url("first"), markdown: "job-1", link: "https://b.example/job-1", http_status: 200 },
            { url: url("second"), markdown: "job-2", link: "https://b.example/job-2", http_status: 201 }
          ]
        )
      })
    )

    it.effect("find a page and what links to it by index, not by reading all there is", () =>
      Effect.gen(function* () {
        const { sink, database } = yield* sinkIn(yield* place, "merge")
        const { write } = yield* startRun(sink, yield* sink.connect)
        yield* write(
          0,
          Array.from({ length: 2000 }, (_, page) => sampleRecord(url(`${page}`)))
        )
        yield* database.query("ANALYZE pages")
        yield* database.query("ANALYZE links")
        for (const sql of [
          "SELECT * FROM current_pages WHERE url = 'https://a.example/7'",
          "SELECT p.url FROM links_to('https://a.example/7') l JOIN current_pages p USING (set_no, page_key)"
        ]) {
          const plan = JSON.stringify(yield* database.query(`EXPLAIN ${sql}`))
          assert.notInclude(plan, "Seq Scan on pages", sql)
          assert.notInclude(plan, "Seq Scan on links", sql)
        }
      })
    )

    it.effect("show what a page was at any instant in history", () =>
      Effect.gen(function* () {
        const { sink, database } = yield* sinkIn(yield* place, "history", { close_after: 1 })
        const connection = yield* sink.connect
        const instants: Array<unknown> = []
        for (const [nth, body] of ["one", "two", undefined, "three"].entries()) {
          const run = yield* startRun(sink, connection, { startedAt: 1_750_000_000_000 + nth })
          yield* run.write(
            0,
            body === undefined
              ? []
              : [sampleRecord(url("1"), { jobId: `job-${nth}`, markdown: body, links: [url(body)] })]
          )
          yield* run.publish
          instants.push((yield* database.query("SELECT clock_timestamp()::text AS at"))[0]?.at)
        }
        const found = yield* Effect.forEach(instants, (at) =>
          database.query(
            `SELECT markdown, links, http_status FROM page_versions
             WHERE valid_from <= $1 AND (valid_to IS NULL OR valid_to > $1)`,
            [at]
          )
        )
        const version = (body: string) => [{ markdown: body, links: [url(body)], http_status: 200 }]
        assert.deepStrictEqual(found, [version("one"), version("two"), [], version("three")])
      })
    )
  })
}
