import { type ListFilter, pageOf } from "./JobStore.ts"

/** In which way the job lists of an API cannot be relied on. */
export type Listing =
  /** `page_count` says that there is one page, whatever there is. */
  | "one page"
  /** `start_date` and `end_date` are ignored. */
  | "ignores dates"
  /** `page` is ignored. */
  | "ignores page"
  /** It shows no job at all. */
  | "shows none"

/** The filter as the list takes it. */
export const filterOf = <F extends ListFilter>(filter: F, listing?: Listing): F => {
  if (listing !== "ignores dates") return filter
  const { end_date: _end, start_date: _start, ...rest } = filter
  return rest as F
}

/** A page of a job list, right or in one of the ways of {@link Listing}. */
export const listPageOf = <A>(
  rows: ReadonlyArray<A>,
  query: { readonly page?: number; readonly page_size?: number },
  size: number,
  listing?: Listing
) => {
  if (listing === "shows none") return pageOf<A>([], query, size)
  if (listing === "ignores page") {
    const { page_size = size } = query
    return { ...pageOf(rows, { page_size }, size), page_count: Math.ceil(rows.length / page_size) }
  }
  const list = pageOf(rows, query, size)
  return listing === "one page" ? { ...list, page_count: 1 } : list
}
