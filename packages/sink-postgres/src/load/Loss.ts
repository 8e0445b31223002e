/** Rows that the server took without an error and did not write: a trigger has dropped them. */
export interface Loss {
  /** The pages, by `standingId`. What came with such a page is not written, and counts as lost with it. */
  readonly pages: ReadonlyArray<string>
  readonly links: number
  readonly metadata: number
}

/** Nothing was dropped. */
export const noLoss: Loss = { pages: [], links: 0, metadata: 0 }

/** The losses of several loads together. */
export const sumOf = (losses: ReadonlyArray<Loss>): Loss => ({
  pages: losses.flatMap(({ pages }) => pages),
  links: losses.reduce((sum, { links }) => sum + links, 0),
  metadata: losses.reduce((sum, { metadata }) => sum + metadata, 0)
})
