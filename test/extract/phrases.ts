import * as fc from "fast-check"

/** Something within a paragraph: a text, or an element around others. */
export type Phrase =
  | { readonly text: string }
  | { readonly tag: string; readonly children: ReadonlyArray<Phrase> }
  | { readonly void: string }

const texts = fc
  .array(
    fc.constantFrom(
      ..."abc 12 é 注意 これは 한국 Слово עברית ไทย ： 。 「 」 （ ） € + 🎉 ☺️ e\u0301 . , ; : ! ? - -- # ## > < & ' \" ( ) [ ] { } | \\ / * ** *** _ __ ~ ~~ ` `` ``` = $ % @ ^ 1. 2) &amp &amp; &copy; &#42; https:// www. <b> </i> <!-- --> <? [x]( ](/u) [^1]: [a]: \u00a0 \u200b".split(
        " "
      ),
      " ",
      " ",
      " "
    ),
    { minLength: 1, maxLength: 5 }
  )
  .map((parts): Phrase => ({ text: parts.join("") }))

const { phrase } = fc.letrec<{ phrase: Phrase; many: ReadonlyArray<Phrase> }>((tie) => ({
  phrase: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    { weight: 5, arbitrary: texts },
    { weight: 1, arbitrary: fc.constantFrom<Phrase>({ void: "<br>" }, { void: '<img src="/i.png" alt="[p]*q*">' }) },
    {
      weight: 5,
      arbitrary: fc.record({
        tag: fc.constantFrom("b", "strong", "i", "em", "s", "code", "sub", 'a href="/u_v(w)?x=1&amp;y"', "span"),
        children: tie("many")
      })
    }
  ),
  many: fc.array(tie("phrase"), { minLength: 1, maxLength: 3 })
}))

/** What a paragraph may say, with all that Markdown could misread in it. */
export const phrases: fc.Arbitrary<ReadonlyArray<Phrase>> = fc.array(phrase, { minLength: 1, maxLength: 4 })

export const places = ["p", "h2", "li", "td", "blockquote"] as const

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")

const inner = (all: ReadonlyArray<Phrase>): string =>
  all
    .map((each) =>
      "text" in each
        ? escaped(each.text)
        : "void" in each
          ? each.void
          : `<${each.tag}>${inner(each.children)}</${each.tag.split(" ")[0]}>`
    )
    .join("")

/** The HTML of phrases in an element. */
export const htmlOf = (all: ReadonlyArray<Phrase>, place: (typeof places)[number]): string => {
  const content = inner(all)
  if (place === "li") return `<ul><li>${content}</li><li>z</li></ul>`
  if (place === "td") return `<table><tr><th>x</th><th>y</th></tr><tr><td>${content}</td><td>z</td></tr></table>`
  return `<${place}>${content}</${place}>`
}
