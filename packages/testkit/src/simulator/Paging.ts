import type { Rows } from "./SiteModel.ts"

/** In which way an API gets the slices of a job's results wrong. */
export type Paging =
  /** Whatever `page` says, the first slice. */
  | "ignores page"
  /** `page` counts from 0. */
  | "counts from 0"
  /** A page past the end shows the last one again. */
  | "repeats the last page"
  /** Whatever `page_size` says, this many rows. */
  | { readonly rows: number }
  /** A slice in the middle is empty, and the rows follow on the next page. */
  | { readonly emptyPage: number }
  /** No slice holds more than this many rows; those beyond are on no page of their size. */
  | { readonly cutTo: number }

/** The rows of a slice as the API sends them, right or in one of the ways of {@link Paging}. */
export const sliceOf = <A>(
  rows: Rows<A>,
  query: { readonly page?: number | undefined; readonly page_size?: number | undefined },
  paging?: Paging
): ReadonlyArray<A> => {
  const { page = 1, page_size: asked = 10 } = query
  const part = (nth: number, size: number) => rows.slice(nth * size, (nth + 1) * size)
  if (paging === undefined) return part(page - 1, asked)
  if (paging === "ignores page") return part(0, asked)
  if (paging === "counts from 0") return part(page, asked)
  if (paging === "repeats the last page") {
    return part(Math.min(page, Math.max(1, Math.ceil(rows.length / asked))) - 1, asked)
  }
  if ("rows" in paging) return part(page - 1, paging.rows)
  if ("cutTo" in paging) return part(page - 1, asked).slice(0, paging.cutTo)
  if (page === paging.emptyPage) return []
  return part(page > paging.emptyPage ? page - 2 : page - 1, asked)
}
