import type { BrowserCookie } from "./RenderRequest.ts"

/** The headers of a request, with the cookies that the browser would send there behind those of the caller. */
export const withCookies = (
  headers: Readonly<Record<string, string>>,
  target: string,
  cookies: ReadonlyArray<BrowserCookie>
): Readonly<Record<string, string>> => {
  const url = new URL(target)
  const sent = cookies.filter((cookie) => isSentTo(cookie, url)).map(({ name, value }) => `${name}=${value}`)
  const all = [headers.cookie, ...sent].filter((each) => each !== undefined && each !== "")
  return all.length === 0 ? headers : { ...headers, cookie: all.join("; ") }
}

const isSentTo = ({ domain, path, secure }: BrowserCookie, { hostname, pathname, protocol }: URL): boolean => {
  const isHost = domain.startsWith(".") ? `.${hostname}`.endsWith(domain) : hostname === domain
  const isPath = pathname === path || pathname.startsWith(path.endsWith("/") ? path : `${path}/`)
  return isHost && isPath && (!secure || protocol === "https:")
}
