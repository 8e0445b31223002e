import { Context } from "effect"

/** How many answers were asked for, and how many attempts that took beyond the first. Mutable: one counter a run. */
export interface RequestCounter {
  submitted: number
  reads: number
  retries: number
}

/** The counter the Scraper client moves. A run gives its own; without one the numbers go nowhere. */
export const CurrentRequestCounter: Context.Reference<RequestCounter> = Context.Reference(
  "@sluice/core/RequestCounter",
  { defaultValue: (): RequestCounter => ({ submitted: 0, reads: 0, retries: 0 }) }
)
