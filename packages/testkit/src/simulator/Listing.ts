import { type ListFilter, pageOf } from "./JobStore.ts"

/** In which way the job lists of an API cannot be relied on, or differ. */
export type Listing =
  /** `page_count` says that there is one page, whatever there is. */
  | "one page"
  /** `start_date` and `end_date` are ignored. */
  | "ignores dates"
  /** `status` is ignored. */
  | "ignores status"
  /** `page` is ignored. */
  | "ignores page"
  /** The oldest job comes first. */
  | "oldest first"
  /** A page past the end shows the last one again. */
  | "repeats the last page"
  /** It shows no job at all. */
  | "shows none"

/** One or several of them. */
export type Listings = Listing | ReadonlyArray<Listing>

const has = (listing: Listings | undefined, name: Listing): boolean =>
  listing === name || (Array.isArray(listing) && listing.includes(name))

/** The filter as the list takes it. */
export const filterOf = <F extends ListFilter>(filter: F, listing?: Listings): F => {
  const { end_date: end, start_date: start, status, ...rest } = filter
  return {
    ...rest,
    ...(has(listing, "ignores status") || status === undefined ? {} : { status }),
    ...(has(listing, "ignores dates") || start === undefined ? {} : { start_date: start }),
    ...(has(listing, "ignores dates") || end === undefined ? {} : { end_date: end })
  } as F
}

/** A page of a job list, right or in some of the ways of {@link Listing}. */
export const listPageOf = <A>(
  newestFirst: ReadonlyArray<A>,
  query: { readonly page?: number; readonly page_size?: number },
  size: number,
  listing?: Listings
) => {
  if (has(listing, "shows none")) return pageOf<A>([], query, size)
  const rows = has(listing, "oldest first") ? newestFirst.toReversed() : newestFirst
  const { page_size = size } = query
  const pages = Math.ceil(rows.length / page_size)
  const wanted = has(listing, "ignores page") ? 1 : (query.page ?? 1)
  const page = has(listing, "repeats the last page") ? Math.min(wanted, Math.max(1, pages)) : wanted
  const list = pageOf(rows, { page, page_size }, size)
  return has(listing, "one page") ? { ...list, page_count: 1 } : list
}
