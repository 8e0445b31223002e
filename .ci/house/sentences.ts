/** Splits a document into its sentences. Code, tables of numbers, addresses and headings are not sentences. */
export const sentences = (markdown: string): ReadonlyArray<string> =>
  markdown
    .replace(/^---\n[\s\S]*?\n---\n/, "")
    .replace(/^```[\s\S]*?^```/gm, "")
    .replace(/^#.*$/gm, "")
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/`[^`\n]*`/g, "code")
    .split(/\n\s*\n|^\s*(?:[-*]|\d+\.)\s+|\|/gm)
    .flatMap((block) => block.replace(/\s+/g, " ").split(/(?<=[.!?:])\s+(?=["A-Z(`])/))
    .map((sentence) => sentence.trim())
    .filter((sentence) => wordsIn(sentence) >= 3)

/** How many words a sentence has. */
export const wordsIn = (sentence: string): number => sentence.match(/[A-Za-z][\w'’-]*/g)?.length ?? 0
