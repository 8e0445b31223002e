import { posix } from "node:path"
import GithubSlugger from "github-slugger"

/** A document by its path in the repository. */
export interface Document {
  readonly path: string
  readonly text: string
}

const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "")

/** Lists the anchors of a document's headings, as GitHub and the site make them. */
const anchorsOf = (text: string): ReadonlySet<string> => {
  const slugger = new GithubSlugger()
  const headings = text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/^#{1,6} (.+)$/gm)
  return new Set(Array.from(headings, ([, heading = ""]) => slugger.slug(heading.replace(/[`*]|\]\([^)]*\)|\[/g, ""))))
}

/** Names every link between these documents whose heading is not there, and every one to a file that `exists` does not know. */
export const deadLinks = (
  documents: ReadonlyArray<Document>,
  exists: (path: string) => boolean
): ReadonlyArray<string> => {
  const anchors = new Map(documents.map(({ path, text }) => [path, anchorsOf(text)]))
  return documents.flatMap(({ path, text }) =>
    [...withoutCode(text).matchAll(/\]\(([^)\s]+)[^)]*\)/g)].flatMap(([, link = ""]) => {
      if (/^[a-z]+:/.test(link)) return []
      const [file = "", anchor = ""] = link.split("#")
      const target = file === "" ? path : posix.normalize(posix.join(posix.dirname(path), file))
      if (!exists(target)) return [`${path} links to ${link}: there is no such file`]
      const isAnchored = anchor === "" || (anchors.get(target)?.has(anchor) ?? true)
      return isAnchored ? [] : [`${path} links to ${link}: there is no such heading`]
    })
  )
}
