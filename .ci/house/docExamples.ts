import type { SourceFile } from "./SourceTree.ts"

/** An example in a doc comment. */
export interface DocExample {
  /** File and the line that it begins in, as errors name them. */
  readonly at: string
  readonly text: string
}

const comment = /^ *\/\*\*[^\n]*\n(?:(?! *\*\/)[^\n]*\n)* *\*\//gm
const fence = /^```ts\n([\s\S]*?)^```$/gm

/** Reads the TypeScript in the doc comments of a file. Each block is a module of its own. */
export const docExamples = ({ path, text }: Pick<SourceFile, "path" | "text">): ReadonlyArray<DocExample> =>
  [...text.matchAll(comment)].flatMap(({ 0: doc, index }) => {
    const prose = doc.replace(/^ *\* ?/gm, "").replaceAll("*\\/", "*/")
    const line = text.slice(0, index).split("\n").length
    return Array.from(prose.matchAll(fence), (match) => ({
      at: `${path}:${line + prose.slice(0, match.index).split("\n").length}`,
      text: match[1] ?? ""
    }))
  })
