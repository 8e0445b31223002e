import { attribute, classesOf, elementsIn, type HtmlElement, parentOf } from "./Elements.ts"

/**
 * The address of an image, as it is written. What scripts would load later counts where `src` is a stand-in: missing, within the page, or
 * named like one. Then it is in an attribute that is named for it, in the image's or its picture's `srcset`.
 */
export const imageSource = (image: HtmlElement): string | undefined => {
  const src = attribute(image, "src")?.trim() ?? ""
  const isEmpty = src === "" || /^(?:data|about|blob|javascript):/i.test(src)
  if (!isEmpty && !standIn.test(src) && !isLazy(image)) return src
  const later = laterSource(image) ?? pictureSource(image)
  return later ?? (isEmpty ? (bestOf(attribute(image, "srcset")) ?? src) : src)
}

const standIn =
  /(?:^|[/_.-])(?:1x1|blank|clear|dummy|empty|grey|gr[ae]y|lazy|lazy-?load|loader|loading|pixel|place-?holder|spacer|spinner|trans|transparent|white)(?:[_.-][^/]*)?\.(?:gif|jpe?g|png|svg|webp)(?:[?#].*)?$/i

const isLazy = (image: HtmlElement): boolean =>
  classesOf(image).some((each) => /^(?:b-lazy|lazy|lazyload(?:ed|ing)?|lozad|js-lazy.*)$/i.test(each))

const lazyNames = /^data-(?:[a-z]+-)*(?:src|lazy|original|echo|url|image|img)$/
const lazySets = /^data-(?:[a-z]+-)*srcset$/

const laterSource = (element: HtmlElement): string | undefined => {
  for (const { name, value } of element.attrs) if (lazyNames.test(name) && isAddress(value)) return value.trim()
  for (const { name, value } of element.attrs) {
    const best = lazySets.test(name) ? bestOf(value) : undefined
    if (best !== undefined) return best
  }
  return undefined
}

/** A path or a name with an ending, not a switch such as `true`. */
const isAddress = (value: string): boolean => /^[^\s{[]*[/.][^\s{[]*$/.test(value.trim()) && !value.startsWith("data:")

/** The source of the picture that an image is in; the first counts, as in a browser. */
const pictureSource = (image: HtmlElement): string | undefined => {
  const own = bestOf(attribute(image, "srcset"))
  if (own !== undefined) return own
  const picture = parentOf(image)
  if (picture?.tagName !== "picture") return undefined
  for (const source of elementsIn(picture)) {
    if (source.tagName !== "source") continue
    const best = laterSource(source) ?? bestOf(attribute(source, "srcset"))
    if (best !== undefined) return best
  }
  return undefined
}

/** A common window: which of several widths a browser takes depends on it. */
const windowWidth = 1280

/** The candidate that a browser would load: the smallest that is sharp enough, else the largest. */
const bestOf = (srcset: string | undefined): string | undefined => {
  const all = srcset === undefined ? [] : candidates(srcset).filter(({ url }) => !url.startsWith("data:"))
  const sorted = all.sort((a, b) => a.density - b.density)
  return (sorted.find(({ density }) => density >= 1) ?? sorted.at(-1))?.url
}

/** `srcset` as the HTML standard reads it: an address ends at a blank and may have commas in it, but not at its end. */
const candidates = (srcset: string): Array<{ readonly url: string; readonly density: number }> => {
  const found: Array<{ readonly url: string; readonly density: number }> = []
  const candidate = /[\s,]*(\S+)(?:\s+([^,]*))?/y
  while (candidate.lastIndex < srcset.length) {
    const start = candidate.lastIndex
    const match = candidate.exec(srcset)
    if (match === null) break
    const url = match[1]!.replace(/,+$/, "")
    const hasNone = url !== match[1]
    if (hasNone) candidate.lastIndex = start + match[0].indexOf(match[1]!) + match[1]!.length
    if (url !== "") found.push({ url, density: densityOf(hasNone ? "" : (match[2] ?? "")) })
  }
  return found
}

const densityOf = (descriptor: string): number => {
  const [, width] = /(?:^|\s)(\d+)w(?:\s|$)/.exec(descriptor) ?? []
  if (width !== undefined) return Number(width) / windowWidth
  const [, density] = /(?:^|\s)(\d*\.?\d+)x(?:\s|$)/.exec(descriptor) ?? []
  return density === undefined ? 1 : Number(density)
}
