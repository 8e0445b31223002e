/** A time in milliseconds, as a sentence names it. */
export const inWords = (millis: number): string =>
  millis < 90_000 ? `${Math.ceil(millis / 1000)} seconds` : `${Math.ceil(millis / 60_000)} minutes`
