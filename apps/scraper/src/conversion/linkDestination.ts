import type { Link } from "mdast"

/** What follows the text of a link or of an image: its address and its title. */
export const linkTail = ({ title, url }: Pick<Link, "title" | "url">, isCell: boolean): string => {
  const tail = `](${destination(url)}${title === null || title === undefined ? "" : ` ${quoted(title)}`})`
  return isCell ? tail.replaceAll("|", "\\|") : tail
}

/** Whether a link says nothing but where it leads; other signs than these are shown differently by some. */
export const isAutolink = ({ children, title, url }: Link): boolean => {
  const [child] = children
  return (
    children.length === 1 &&
    child?.type === "text" &&
    child.value === url &&
    (title === null || title === undefined) &&
    /^[a-z][a-z+.-]{1,31}:[\w!#$&'()*+,./:;=?@~-]+$/i.test(url) &&
    !/xn--/i.test(url)
  )
}

const destination = (url: string): string => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they end a destination
  if (url === "" || url.startsWith("<") || /[\x00-\x20\x7f]/.test(url)) {
    return `<${url
      .replace(/[\r\n]/g, "%0A")
      .replace(/[\\<>`]/g, "\\$&")
      .replace(reference, "\\$&")}>`
  }
  if (!/[\\<&`()]/.test(url)) return url
  const escaped = url.replace(/\\(?=[!-/:-@[-`{-~]|$)|[<`]/g, "\\$&").replace(reference, "\\$&")
  return isBalanced(url) ? escaped : escaped.replace(/[()]/g, "\\$&")
}

/** What a parser would replace by a sign. */
const reference = /&(?=#x[\da-f]{1,6};|#\d{1,7};|[a-z][a-z\d]{1,31};)/gi

/** Parentheses in pairs need no escape, as deep as every parser follows them. */
const isBalanced = (url: string): boolean => {
  let depth = 0
  for (const sign of url) {
    if (sign === "(") depth++
    else if (sign === ")") depth--
    if (depth < 0 || depth > 20) return false
  }
  return depth === 0
}

const quoted = (title: string): string =>
  `"${title.replace(/\\(?=[!-/:-@[-`{-~]|$)|["`]/g, "\\$&").replace(reference, "\\$&")}"`
