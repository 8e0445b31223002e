import type { Formula } from "./formula.ts"

/** A formula between dollar signs. A pipe in a cell has a backslash; what TeX itself writes so has another name. */
export const formulaMarkdown = ({ isDisplayed, value }: Formula, isCell: boolean): string => {
  const sign = isDisplayed ? "$$" : "$"
  const tex = isCell
    ? value.replace(/\\\|(?=(\p{L}?))/gu, (_, next: string) => `\\Vert${next === "" ? "" : " "}`).replaceAll("|", "\\|")
    : value
  return `${sign}${tex}${sign}`
}
