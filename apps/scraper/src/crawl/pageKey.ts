/** Query parameters that say who is asking or where from, and nothing about the page. */
const ofVisitors =
  /^(?:utm_[a-z]+|gclid|dclid|gbraid|wbraid|fbclid|msclkid|twclid|yclid|mc_[ce]id|_ga|_gl|phpsessid|jsessionid|aspsessionid[a-z]*|cfid|cftoken|sid|sessid|sessionid|session_id|zenid|oscsid)$/i

/** Session ids in paths: `;jsessionid=..` of servlets, `/(S(..))/` of ASP.NET. */
const inPaths = /;(?:jsessionid|phpsessid|sid)=[^/;?]*|\/\((?:[a-z]\([0-9a-z]+\))+\)(?=\/)/gi

/**
 * What tells a page from others, of a normalised URL: without session ids and campaign parameters, the other parameters in
 * the order of their names. Two URLs with one key are taken for one page; the key itself is never fetched.
 */
export const pageKey = (url: string): string => {
  const start = url.indexOf("?")
  const path = start === -1 ? url : url.slice(0, start)
  const plain = path.replace(inPaths, "")
  if (start === -1) return plain
  const kept = url
    .slice(start + 1)
    .split("&")
    .filter((parameter) => !ofVisitors.test(nameOf(parameter)))
    .map((parameter) => [nameOf(parameter), parameter] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, parameter]) => parameter)
  return kept.length === 0 ? plain : `${plain}?${kept.join("&")}`
}

const nameOf = (parameter: string): string => parameter.split("=", 1)[0] ?? ""
