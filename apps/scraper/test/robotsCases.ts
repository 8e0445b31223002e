/** A `robots.txt`, who asks, and the paths that are allowed and forbidden to it. */
export interface RobotsCase {
  readonly name: string
  readonly text: string
  readonly crawler?: string
  readonly allowed?: ReadonlyArray<string>
  readonly forbidden?: ReadonlyArray<string>
}

const groups = `allow: /foo/bar/

user-agent: FooBot
disallow: /
allow: /x/
user-agent: BarBot
disallow: /
allow: /y/


allow: /w/
user-agent: BazBot

user-agent: FooBot
allow: /z/
disallow: /
`
const foo = (rules: string) => `user-agent: FooBot\n${rules}\n`

/**
 * The cases that Google publishes with its parser, rewritten. Where Google departs from RFC 9309 the RFC counts: an escaped
 * letter is that letter, and no file name stands for its folder.
 */
export const googleCases: ReadonlyArray<RobotsCase> = [
  { name: "an empty file", text: "", allowed: ["/"] },
  { name: "a group", text: foo("disallow: /"), forbidden: ["/x/y"] },
  { name: "fields that nobody knows", text: "foo: FooBot\nbar: /\n", allowed: ["/x/y"] },
  { name: "lines without their colon", text: "user-agent FooBot\ndisallow /\n", forbidden: ["/x/y"] },
  { name: "groups: Foo", text: groups, allowed: ["/x/b", "/z/d"], forbidden: ["/y/c", "/foo/bar/"] },
  { name: "groups: Bar", text: groups, crawler: "BarBot", allowed: ["/y/c", "/w/a"], forbidden: ["/z/d", "/foo/bar/"] },
  { name: "groups: Baz", text: groups, crawler: "BazBot", allowed: ["/z/d"], forbidden: ["/foo/bar/"] },
  ...["Sitemap: https://foo.bar/sitemap", "Invalid-Unknown-Line: unknown"].flatMap((line) =>
    ["FooBot", "BarBot"].map((crawler) => ({
      name: `${line} ends no group: ${crawler}`,
      text: `User-agent: BarBot\n${line}\nUser-agent: *\nDisallow: /\n`,
      crawler,
      forbidden: ["/x/y"]
    }))
  ),
  ...["USER-AGENT: FooBot\nALLOW: /x/\nDISALLOW: /\n", "user-agent: FOOBOT\nallow: /x/\ndisallow: /\n"].map((text) => ({
    name: "names in any case",
    text,
    allowed: ["/x/y"],
    forbidden: ["/a/b"]
  })),
  {
    name: "a crawler up to the first blank",
    text: "User-Agent: *\nDisallow: /\nUser-Agent: Foo Bar\nAllow: /x/\nDisallow: /\n",
    crawler: "Foo/1.0",
    allowed: ["/x/y"]
  },
  { name: "a crawler that is not named", text: foo("disallow: /"), crawler: "BarBot", allowed: ["/x/y"] },
  {
    name: "everyone's group for those without one",
    text: "user-agent: *\nallow: /\nuser-agent: FooBot\ndisallow: /\n",
    crawler: "BarBot",
    allowed: ["/x/y"]
  },
  {
    name: "the own group alone",
    text: "user-agent: *\ndisallow: /x/\nuser-agent: FooBot\ndisallow: /y/\n",
    allowed: ["/x/page"],
    forbidden: ["/y/page"]
  },
  { name: "the case of paths", text: foo("disallow: /X/"), allowed: ["/x/y"] },
  { name: "the longest: allow", text: foo("disallow: /x/\nallow: /x/page.html"), allowed: ["/x/page.html"] },
  { name: "the longest: disallow", text: foo("disallow: /x/page.html\nallow: /x/"), forbidden: ["/x/page.html"] },
  { name: "empty rules", text: foo("disallow:\nallow:"), allowed: ["/x/page.html"] },
  { name: "of equals the one that allows", text: foo("disallow: /\nallow: /"), allowed: ["/x/page.html"] },
  { name: "a slash more", text: foo("disallow: /x\nallow: /x/"), allowed: ["/x/"], forbidden: ["/x"] },
  {
    name: "a wildcard counts",
    text: foo("allow: /page\ndisallow: /*.html"),
    forbidden: ["/page.html"],
    allowed: ["/page"]
  },
  {
    name: "a longer path",
    text: foo("allow: /x/page.\ndisallow: /*.html"),
    allowed: ["/x/page.html"],
    forbidden: ["/x/y.html"]
  },
  {
    name: "a query as it is",
    text: foo("disallow: /\nallow: /foo/bar?qux=taz&baz=http://foo.bar?tar&par"),
    allowed: ["/foo/bar?qux=taz&baz=http://foo.bar?tar&par"]
  },
  { name: "raw UTF-8", text: foo("disallow: /\nallow: /foo/bar/ツ"), allowed: ["/foo/bar/%E3%83%84", "/foo/bar/ツ"] },
  {
    name: "escaped UTF-8",
    text: foo("disallow: /\nallow: /foo/bar/%e3%83%84"),
    allowed: ["/foo/bar/%E3%83%84", "/foo/bar/ツ"]
  },
  {
    name: "escaped letters",
    text: foo("disallow: /\nallow: /foo/bar/%62%61%7A"),
    allowed: ["/foo/bar/baz", "/foo/bar/%62%61%7A"]
  },
  {
    name: "wildcards",
    text: foo("disallow: /foo/bar/quz\nallow: /foo/*/qux"),
    forbidden: ["/foo/bar/quz"],
    allowed: ["/foo/quz", "/foo//quz", "/foo/bax/quz"]
  },
  {
    name: "the end",
    text: foo("disallow: /foo/bar$\nallow: /foo/bar/qux"),
    forbidden: ["/foo/bar"],
    allowed: ["/foo/bar/qux", "/foo/bar/", "/foo/bar/baz"]
  },
  {
    name: "comments",
    text: foo("# disallow: /\ndisallow: /foo/quz#qux\nallow: /"),
    allowed: ["/foo/bar"],
    forbidden: ["/foo/quz"]
  },
  {
    name: "no file for its folder",
    text: foo("allow: /slash/index.html\ndisallow: /"),
    allowed: ["/slash/index.html"],
    forbidden: ["/slash/"]
  },
  ...["/fish", "/fish*"].map((rule) => ({
    name: `the documented ${rule}`,
    text: foo(`disallow: /\nallow: ${rule}`),
    allowed: [
      "/fish",
      "/fish.html",
      "/fish/salmon.html",
      "/fishheads",
      "/fishheads/yummy.html",
      "/fish.php?id=anything"
    ],
    forbidden: ["/bar", "/Fish.asp", "/catfish", "/?id=fish"]
  })),
  {
    name: "the documented /fish/",
    text: foo("disallow: /\nallow: /fish/"),
    allowed: ["/fish/", "/fish/salmon", "/fish/?salmon", "/fish/salmon.html", "/fish/?id=anything"],
    forbidden: ["/fish", "/fish.html", "/Fish/Salmon.html"]
  },
  {
    name: "the documented /*.php",
    text: foo("disallow: /\nallow: /*.php"),
    allowed: ["/filename.php", "/folder/filename.php", "/folder/filename.php?parameters", "//folder/any.php.file.html"],
    forbidden: ["/bar", "/", "/windows.PHP"]
  },
  {
    name: "the documented /*.php$",
    text: foo("disallow: /\nallow: /*.php$"),
    allowed: ["/filename.php", "/folder/filename.php"],
    forbidden: ["/filename.php?parameters", "/filename.php/", "/filename.php5", "/php/", "/aaaphpaaa", "/windows.PHP"]
  },
  {
    name: "the documented /fish*.php",
    text: foo("disallow: /\nallow: /fish*.php"),
    allowed: ["/fish.php", "/fishheads/catfish.php?parameters"],
    forbidden: ["/Fish.PHP"]
  },
  { name: "precedence: /p", text: foo("allow: /p\ndisallow: /"), allowed: ["/page"] },
  { name: "precedence: /folder", text: foo("allow: /folder\ndisallow: /folder"), allowed: ["/folder/page"] },
  { name: "precedence: /page", text: foo("allow: /page\ndisallow: /*.htm"), forbidden: ["/page.htm"] },
  { name: "precedence: /$", text: foo("allow: /$\ndisallow: /"), allowed: ["/"], forbidden: ["/page.htm"] },
  {
    name: "carriage returns",
    text: "user-agent: FooBot\rallow: /x\r\n\r\ndisallow: /\r",
    allowed: ["/x"],
    forbidden: ["/y"]
  },
  { name: "a byte-order mark", text: "\uFEFFuser-agent: FooBot\ndisallow: /\n", forbidden: ["/x"] }
]

/** What RFC 9309 says beyond that, and what real files hold. */
export const rfcCases: ReadonlyArray<RobotsCase> = [
  {
    name: "an escaped tilde",
    text: foo("disallow: /%7Ejoe/"),
    forbidden: ["/~joe/", "/%7ejoe/", "/%7Ejoe/index.html"]
  },
  { name: "a tilde", text: foo("disallow: /~joe/"), forbidden: ["/~joe/", "/%7ejoe/"] },
  { name: "the case of escapes", text: foo("disallow: /a%3cd.html"), forbidden: ["/a%3Cd.html", "/a%3cd.html"] },
  {
    name: "an escaped slash is no slash",
    text: foo("disallow: /a%2fb.html"),
    forbidden: ["/a%2Fb.html"],
    allowed: ["/a/b.html"]
  },
  {
    name: "a slash is no escaped one",
    text: foo("disallow: /a/b.html"),
    forbidden: ["/a/b.html"],
    allowed: ["/a%2Fb.html"]
  },
  {
    name: "reserved octets of a query",
    text: foo("disallow: /foo/bar?baz=https://foo.bar"),
    forbidden: ["/foo/bar?baz=https://foo.bar", "/foo/bar?baz=https%3A%2F%2Ffoo.bar"]
  },
  {
    name: "a query behind a wildcard",
    text: foo("disallow: /*u=/x"),
    forbidden: ["/p?u=/x", "/p?u=%2Fx", "/u=/x"],
    allowed: ["/u=%2Fx"]
  },
  {
    name: "a literal asterisk",
    text: foo("disallow: /file-with-a-%2A.html"),
    forbidden: ["/file-with-a-*.html", "/file-with-a-%2A.html"],
    allowed: ["/file-with-a-b.html"]
  },
  {
    name: "a literal dollar",
    text: foo("disallow: /foo-%24"),
    forbidden: ["/foo-$", "/foo-%24bar"],
    allowed: ["/foo-"]
  },
  { name: "a dollar within", text: foo("disallow: /a$b"), forbidden: ["/a$b", "/a%24bc"], allowed: ["/a"] },
  { name: "the file itself", text: foo("disallow: /"), allowed: ["/robots.txt"] },
  { name: "a group of no rules", text: "user-agent: FooBot\n\nuser-agent: *\n", allowed: ["/"] },
  { name: "a named group of no rules", text: "user-agent: *\ndisallow: /\n\nuser-agent: FooBot\n", allowed: ["/"] },
  {
    name: "groups of one name",
    text: `${foo("disallow: /a")}\n${foo("disallow: /b")}`,
    forbidden: ["/a", "/b"],
    allowed: ["/c"]
  },
  { name: "a version in the file", text: "user-agent: FooBot/2.1\ndisallow: /\n", forbidden: ["/"] },
  { name: "a longer name", text: "user-agent: FooBotNews\ndisallow: /\n", allowed: ["/"] },
  { name: "misspelt disallow", text: foo("Dissallow: /a\ndisalow: /b\nDisallaw: /c"), forbidden: ["/a", "/b", "/c"] },
  {
    name: "misspelt user agents",
    text: "useragent: FooBot\ndisallow: /\n\nuser agent: BarBot\ndisallow: /x\n",
    forbidden: ["/a"]
  },
  { name: "an allow without its colon forbids more", text: foo("disallow: /\nallow /a"), forbidden: ["/a"] },
  { name: "a rule before any group", text: "disallow: /\n", allowed: ["/"] },
  {
    name: "a crawl delay ends no group",
    text: "user-agent: FooBot\ncrawl-delay: 3\nuser-agent: BarBot\ndisallow: /\n",
    forbidden: ["/"]
  },
  { name: "wildcards in a row", text: foo("disallow: /a***b"), forbidden: ["/ab", "/axxb"], allowed: ["/a"] },
  {
    name: "the last part at the end",
    text: foo("disallow: /*a*ab$"),
    forbidden: ["/aab", "/a-ab"],
    allowed: ["/ab", "/aabc"]
  }
]
