/** What to do about pages that failed with a code, in a clause; undefined where nothing is known of it. */
export const failureHint = (code: string, httpStatus?: number): string | undefined =>
  (httpStatus === undefined ? undefined : statusHints.get(httpStatus)) ?? hints.get(code)

const hints: ReadonlyMap<string, string> = new Map(
  Object.entries({
    BLOCKED_TARGET:
      "the address is private, and the scraper refuses those: set embedded.allow_private_targets to true in the pipeline file (a scraper of your own: --allow-private-targets)",
    INVALID_URL: "the URL cannot be requested: correct it in the source",
    VALIDATION_ERROR: "the API refused the URL: correct it in the source",
    REFUSED: "the API refused the URL: correct it in the source",
    ROBOTS_DISALLOWED: "the site's robots.txt forbids it: ask the site's owner, or leave the page out",
    DNS_ERROR: "the host name does not resolve: check its spelling",
    CONNECTION_ERROR: "the host does not answer: check that the site is up and reachable from the scraper",
    TLS_ERROR: "the site's certificate or its TLS is not accepted: check it in a browser",
    TIMEOUT: "the site answered too slowly: run again later, or lower the pace",
    HOST_PAUSED: "the host failed too often and was left alone: run again later, or lower the pace",
    TOO_MANY_REDIRECTS: "the site redirects in a circle",
    REDIRECT_OUT_OF_SCOPE: "the page redirects to another site: add that one to the source if you want it",
    RATE_LIMITED: "the site limits the pace: raise embedded.host_delay_ms, or run again later",
    UNSUPPORTED_CONTENT_TYPE: "it is no HTML page: exclude such URLs in the source",
    PAGE_TOO_LARGE: "the page is larger than the scraper takes: exclude it in the source",
    CONVERSION_TIMEOUT: "the page is too complex to convert in time: ask for html instead of markdown",
    INVALID_SELECTOR: "a selector of the source is not valid CSS: correct it",
    ELEMENT_NOT_FOUND: "the page has no element for the selector of the source: check it in a browser",
    BROWSER_UNAVAILABLE: "rendering needs a Chromium: install one, or name it in SCRAPER_CHROMIUM",
    BROWSER_BUSY: "the scraper's browser was busy: run again, or lower the pace"
  })
)

const statusHints: ReadonlyMap<number, string> = new Map([
  [401, "the site asks for a login: give its headers in the source"],
  [403, "the site refuses the request: it may ask for other headers, rendering or another proxy"],
  [404, "the page does not exist: whichever page links to it, or the source, has an old URL"],
  [410, "the page was removed for good: drop its URL from the source"],
  [429, "the site limits the pace: raise embedded.host_delay_ms, or run again later"]
])
