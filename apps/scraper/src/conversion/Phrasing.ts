import type { PhrasingContent } from "mdast"

/** What a run of text is marked with by the elements around it. */
export type Mark =
  | { readonly kind: "strong" | "emphasis" | "delete" | "code" }
  | { readonly kind: "sub" | "sup" }
  | { readonly kind: "link"; readonly url: string; readonly title: string | null }

/** A piece of a paragraph under its marks, outermost first. */
export type Run =
  | { readonly kind: "text"; readonly value: string; readonly marks: ReadonlyArray<Mark> }
  | { readonly kind: "node"; readonly node: PhrasingContent; readonly marks: ReadonlyArray<Mark> }
  | { readonly kind: "break" }

/**
 * The marks of what is in one more element. No kind twice, and code is innermost: nothing but links can be told from
 * within or around it.
 */
export const marked = (marks: ReadonlyArray<Mark>, mark: Mark): ReadonlyArray<Mark> => {
  if (marks.some(({ kind }) => kind === mark.kind)) return marks
  const last = marks.at(-1)
  if (last?.kind !== "code") return [...marks, mark]
  return mark.kind === "link" ? [...marks.slice(0, -1), mark, last] : marks
}

/** Whether runs show nothing. */
export const isBlank = (runs: ReadonlyArray<Run>): boolean =>
  runs.every((run) => run.kind === "break" || (run.kind === "text" && !/[^\s\u200b]/.test(run.value)))

/** How a line break is written: as one, as markup where a block has to stay in one line, or as a blank. */
export type BreakStyle = "break" | "markup" | "blank"

/**
 * The content of a paragraph. White space is collapsed as a browser does, and is moved outside of marks, where Markdown wants it;
 * neighbours under the same mark share it.
 */
export const phrasingOf = (runs: ReadonlyArray<Run>, breaks: BreakStyle): Array<PhrasingContent> =>
  nested(pieces(runs, breaks), 0)

interface Piece {
  readonly node: PhrasingContent
  marks: ReadonlyArray<Mark>
}

const pieces = (runs: ReadonlyArray<Run>, breaks: BreakStyle): ReadonlyArray<Piece> => {
  const all: Array<Piece> = []
  let gap: "none" | "blank" | "break" = "none"
  const add = (piece: Piece) => {
    const before = all.at(-1)
    if (before !== undefined && gap !== "none") {
      const node = gap === "blank" || breaks === "blank" ? blank : breaks === "markup" ? markupBreak : lineBreak
      all.push({
        node,
        marks: node.type === "text" ? common(before.marks, piece.marks) : withoutCode(common(before.marks, piece.marks))
      })
    }
    gap = "none"
    all.push(piece)
  }
  for (const run of runs) {
    if (run.kind === "break") gap = "break"
    else if (run.kind === "node") add(run)
    else {
      const value = collapsed(run.value)
      const core = value.slice(value.startsWith(" ") ? 1 : 0, value.length > 1 && value.endsWith(" ") ? -1 : undefined)
      if (value.startsWith(" ") && gap === "none") gap = "blank"
      if (core !== "") {
        add({ node: { type: "text", value: core }, marks: run.marks })
        if (value.endsWith(" ")) gap = "blank"
      }
    }
  }
  return all
}

/** White space as a browser shows it; where a word may be broken is no matter. */
const collapsed = (text: string): string => text.replace(/[\t\n\f\r ]+/g, " ").replaceAll("\u00ad", "")

const blank: PhrasingContent = { type: "text", value: " " }
const lineBreak: PhrasingContent = { type: "break" }
const markupBreak: PhrasingContent = { type: "html", value: "<br>" }

/** Links and code side by side are two; all else is one. */
const isSame = (a: Mark, b: Mark): boolean => a === b || (a.kind !== "link" && a.kind !== "code" && a.kind === b.kind)

const common = (a: ReadonlyArray<Mark>, b: ReadonlyArray<Mark>): ReadonlyArray<Mark> => {
  let count = 0
  while (count < a.length && count < b.length && isSame(a[count]!, b[count]!)) count++
  return a.slice(0, count)
}

const withoutCode = (marks: ReadonlyArray<Mark>) => (marks.at(-1)?.kind === "code" ? marks.slice(0, -1) : marks)

/** Marks as elements around what they mark. As deep as there are kinds of marks. */
const nested = (all: ReadonlyArray<Piece>, depth: number): Array<PhrasingContent> => {
  const nodes: Array<PhrasingContent> = []
  for (let index = 0; index < all.length; ) {
    const mark = all[index]!.marks[depth]
    let end = index + 1
    while (end < all.length && alike(mark, all[end]!.marks[depth])) end++
    const group = all.slice(index, end)
    index = end
    if (mark === undefined) nodes.push(...joined(group))
    else nodes.push(...wrapped(mark, group, depth))
  }
  return nodes
}

const alike = (a: Mark | undefined, b: Mark | undefined) =>
  a === b || (a !== undefined && b !== undefined && isSame(a, b))

const joined = (group: ReadonlyArray<Piece>): Array<PhrasingContent> => {
  const nodes: Array<PhrasingContent> = []
  let text: Array<string> = []
  const flush = () => {
    if (text.length > 0) nodes.push({ type: "text", value: text.join("") })
    text = []
  }
  for (const { node } of group) {
    if (node.type === "text") text.push(node.value)
    else {
      flush()
      nodes.push(node)
    }
  }
  flush()
  return nodes
}

const wrapped = (mark: Mark, group: ReadonlyArray<Piece>, depth: number): Array<PhrasingContent> => {
  switch (mark.kind) {
    case "code":
      return joined(group).map((node) => (node.type === "text" ? { type: "inlineCode", value: node.value } : node))
    case "sub":
    case "sup":
      return [
        { type: "html", value: `<${mark.kind}>` },
        ...nested(group, depth + 1),
        { type: "html", value: `</${mark.kind}>` }
      ]
    case "link": {
      const children = nested(group, depth + 1) as Array<never>
      const shows = group.some(({ node }) => node.type !== "text" || !/^[\s\u200b]*$/.test(node.value))
      return shows ? [{ type: "link", url: mark.url, title: mark.title, children }] : children
    }
    default:
      return [{ type: mark.kind, children: nested(group, depth + 1) }]
  }
}
