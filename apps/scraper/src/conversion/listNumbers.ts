import { attribute, type HtmlElement } from "./Elements.ts"

/** The numbers that a browser shows before the items of one list, in order. */
export interface ListNumbers {
  /** The number of the next item. */
  readonly next: (item: HtmlElement) => number
}

/** `start`, `reversed`, and the `value` of items, as the HTML standard has them. */
export const listNumbers = (list: HtmlElement): ListNumbers => {
  const isReversed = attribute(list, "reversed") !== undefined
  const step = isReversed ? -1 : 1
  let number = integer(attribute(list, "start")) ?? (isReversed ? countOf(list) : 1)
  return {
    next: (item) => {
      number = integer(attribute(item, "value")) ?? number
      const own = number
      number += step
      return own
    }
  }
}

const countOf = (list: HtmlElement): number =>
  list.childNodes.filter((each) => "tagName" in each && each.tagName === "li").length

const integer = (value: string | undefined): number | undefined => {
  const [, digits] = /^\s*([+-]?\d+)/.exec(value ?? "") ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** Whether Markdown can begin a list with a number. */
export const isListNumber = (number: number): boolean => number >= 0 && number <= 999_999_999
