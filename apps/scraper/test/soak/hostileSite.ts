import { page, type Route, testSite } from "../TestSite.ts"

const bad = ["/slow", "/broken", "/gone", "/reset", "/loop", "/huge", "/binary", "/never", "/limited", "/cut"] as const

/** A page `/p/<n>` with links to three others and to one that is no good. */
const tree = Object.fromEntries(
  Array.from({ length: 120 }, (_, n): [string, Route] => [
    `/p/${n}`,
    page(`Page ${n}`, ...[1, 2, 3].map((k) => `/p/${(n * 3 + k) % 120}`), bad[n % bad.length] ?? "/slow")
  ])
)

/** The largest page that a server under load takes. */
export const maxPageBytes = 64 * 1024

/** A site of which some pages are slow, broken, endless, cut off or too large. */
export const hostileSite = testSite({
  ...tree,
  "/": page("Home", "/p/1", "/p/2", ...bad),
  "/sitemap.xml": {
    headers: { "content-type": "application/xml" },
    body: `<urlset>${Array.from({ length: 50 }, (_, n) => `<url><loc>/p/${n}</loc></url>`).join("")}</urlset>`
  },
  "/slow": (_, response) => void setTimeout(() => response.end(page("Slow")), 100),
  "/broken": { status: 500 },
  "/reset": (request) => void request.socket.destroy(),
  "/loop": { status: 302, headers: { location: "/loop" } },
  "/huge": { body: "x".repeat(maxPageBytes + 1) },
  "/binary": { headers: { "content-type": "image/png" }, body: "no picture" },
  "/never": () => undefined,
  "/limited": { status: 429, headers: { "retry-after": "1" } },
  "/cut": (request, response) => {
    response.writeHead(200, { "content-type": "text/html", "content-length": "1000" })
    response.write("<p>half", () => request.socket.destroy())
  }
})

/** Every path of it that a caller may name. */
export const paths = ["/", ...Object.keys(tree), ...bad]
