// Runs inside a browser, in a page whose scripts do not. `spec.main` and `spec.side` are CSS selectors: of the content, and of what is not
// content inside it. `spec.notCode` are elements inside of code that are not part of it, such as line numbers.
;(spec) => {
  for (const details of document.querySelectorAll("details")) details.open = true
  for (const dialog of document.querySelectorAll("dialog[data-shown]")) dialog.setAttribute("open", "")

  const matches = (element, selectors) => selectors.some((selector) => element.closest(selector) !== null)
  const isSide = (element) => {
    const main = spec.main.length === 0 || matches(element, spec.main)
    return !main || matches(element, spec.side)
  }
  const flag = (element) => (isSide(element) ? { side: true } : {})
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: false })
  const words = (text) =>
    text
      .replace(/[\u200b\u00ad]/g, "")
      .replace(/[\s\u00a0]+/g, " ")
      .trim()
  const unseen = new Set(
    "SCRIPT STYLE TEMPLATE HEAD NOSCRIPT TEXTAREA SELECT OPTION METER PROGRESS BUTTON svg SVG OBJECT VIDEO AUDIO CANVAS IFRAME math".split(
      " "
    )
  )
  unseen.delete("NOSCRIPT")
  unseen.delete("BUTTON")
  const notText = (element) => unseen.has(element.tagName) || element.namespaceURI.endsWith("svg")
  const isBlock = (element) => {
    const display = getComputedStyle(element).display
    return (
      !/^(inline|contents|none|ruby)/.test(display) ||
      (/^inline-(block|flex|table|grid)$/.test(display) && /^(DIV|LI|P|UL|DL|TABLE|SECTION)$/.test(element.tagName))
    )
  }
  const quoted = (node, text) => (node.tagName === "Q" ? `“${text}”` : text)
  // A frame is told by its title, as a link.
  const titleOf = (node) => (node.tagName === "IFRAME" && /^https?:/.test(node.src) ? words(node.title) : "")
  // As GitHub's Markdown writes it.
  const texOf = (math) => `$${words(math.querySelector("annotation[encoding*=tex]")?.textContent ?? math.textContent)}$`
  // The text of an element as words; blocks and breaks part them.
  const textOf = (node, leaveOut = () => false) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data
    if (node.nodeType !== Node.ELEMENT_NODE) return ""
    if (node.tagName === "math") return texOf(node)
    if (titleOf(node) !== "") return titleOf(node)
    if (notText(node) || leaveOut(node)) return ""
    if (node.tagName === "BR") return " "
    if (!isShown(node) && getComputedStyle(node).display !== "contents") return ""
    const inner = quoted(node, [...node.childNodes].map((child) => textOf(child, leaveOut)).join(""))
    return isBlock(node) ? ` ${inner} ` : inner
  }

  const blocks = []
  let open = { text: "", element: document.body }
  const cut = (element) => {
    const text = words(open.text)
    if (text !== "") blocks.push({ text, ...flag(open.element) })
    open = { text: "", element }
  }
  const walk = (node, parent) => {
    if (node.nodeType === Node.TEXT_NODE) {
      if (open.text === "" || words(open.text) === "") open.element = parent
      open.text += node.data
      return
    }
    if (node.nodeType !== Node.ELEMENT_NODE) return
    if (node.tagName === "math") {
      open.text += texOf(node)
      return
    }
    if (titleOf(node) !== "") {
      open.text += titleOf(node)
      return
    }
    if (notText(node) || node.matches(spec.notText ?? "none-such")) return
    if (node.tagName === "BR") {
      open.text += " "
      return
    }
    if (!isShown(node) && getComputedStyle(node).display !== "contents") return
    const block = isBlock(node)
    const wasSide = isSide(open.element)
    if (block || wasSide !== isSide(node)) cut(node)
    if (node.tagName === "Q") open.text += "“"
    for (const child of node.childNodes) walk(child, node)
    if (node.tagName === "Q") open.text += "”"
    if (block || wasSide !== isSide(node)) cut(parent)
  }
  walk(document.body, document.body)
  cut(document.body)

  const all = (selector) =>
    [...document.body.querySelectorAll(selector)].filter(
      (element) => isShown(element) && !element.matches(spec.notText ?? "none-such")
    )
  const headings = all("h1,h2,h3,h4,h5,h6")
    .map((element) => ({
      level: Number(element.tagName[1]),
      text: words(textOf(element, leaveOutPilcrow)),
      ...flag(element)
    }))
    .filter(({ text }) => text !== "")
  function leaveOutPilcrow(element) {
    return spec.notHeading !== undefined && element.matches(spec.notHeading)
  }
  const altOf = (element) => [...element.querySelectorAll("img")].map((image) => image.alt).join(" ")
  // No link fits into a block of code.
  const links = all("a[href], iframe[title]")
    .map((element) => ({ element, url: element.href ?? element.src }))
    .filter(({ element, url }) => /^(https?|mailto|tel|ftp):/.test(url) && element.closest(spec.code ?? "pre") === null)
    .map(({ element, url }) => ({ text: words(textOf(element)) || words(altOf(element)), url, ...flag(element) }))
    .filter(({ text }) => text !== "")
  // Scripts would put in the place of a stand-in what is named beside it.
  const sourceOf = (image) =>
    image.src.startsWith("data:") && image.dataset.src ? new URL(image.dataset.src, document.baseURI).href : image.src
  const images = all("img")
    .filter((image) => /^https?:/.test(sourceOf(image)))
    .map((image) => ({ alt: words(image.alt), url: sourceOf(image), ...flag(image) }))
  const tables = all("table")
    .filter((table) => table.querySelector("table") === null && !table.matches(spec.notTable ?? "none-such"))
    .map((table) => {
      const rows = []
      ;[...table.rows].forEach((row, r) => {
        rows[r] ??= []
        let c = 0
        for (const cell of row.cells) {
          while (rows[r][c] !== undefined) c++
          for (let dr = 0; dr < Math.min(cell.rowSpan || 1, table.rows.length - r); dr++) {
            rows[r + dr] ??= []
            for (let dc = 0; dc < cell.colSpan; dc++) rows[r + dr][c + dc] = dr + dc === 0 ? words(textOf(cell)) : null
          }
        }
      })
      return { rows: rows.map((row) => Array.from(row, (cell) => (cell === undefined ? "" : cell))), ...flag(table) }
    })
    .filter(({ rows }) => rows.length > 1 && rows.some((row) => row.length > 1))
  const isNotCode = (element) => spec.notCode !== undefined && element.matches(spec.notCode)
  const raw = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      // White space between lines that are elements is that of the markup.
      const { tagName } = node.parentElement
      const isBetween =
        /^(TABLE|TBODY|TR)$/.test(tagName) || (tagName === "DIV" && node.parentElement.querySelector("div") !== null)
      return isBetween && node.data.trim() === "" ? "" : node.data
    }
    if (node.nodeType !== Node.ELEMENT_NODE || isNotCode(node)) return ""
    if (node.tagName === "BR") return "\n"
    const inner = [...node.childNodes].map(raw).join("")
    const isLine = !/^(PRE|TBODY|TD|TH)$/.test(node.tagName) && isBlock(node)
    return isLine && !inner.endsWith("\n") ? `${inner}\n` : inner
  }
  // No block of code fits into a cell.
  const isData = (table) => table.querySelector("table") === null && !table.matches(spec.notTable ?? "none-such")
  const inCell = (element) =>
    element.parentElement.closest("table") !== null && isData(element.parentElement.closest("table"))
  const pres = all(spec.code ?? "pre").filter(
    (pre) => !inCell(pre) && !isNotCode(pre) && pre.closest(spec.notCode ?? "none-such") === null
  )
  const code = pres.map((pre, index) => ({
    text: raw(pre)
      .replace(/^\n|\s+$/g, "")
      .replace(/\u00a0/g, " "),
    language: spec.languages?.[index] ?? null,
    ...flag(pre)
  }))
  const inlineCode = all("code,tt,kbd,samp")
    .filter(
      (element) =>
        element.closest(`pre, ${spec.code ?? "pre"}`) === null &&
        element.parentElement.closest("code,tt,kbd,samp") === null &&
        isShown(element)
    )
    .map((element) => ({ text: words(textOf(element)), ...flag(element) }))
    .filter(({ text }) => text !== "")
  const items = all("li")
    .filter((item) => item.parentElement.matches("ul,ol,menu") && item.closest("table") === null)
    .map((item) => {
      const own = words(textOf(item, (element) => element.matches("ul,ol,menu,pre,table,dl")))
      let depth = 0
      for (let up = item.parentElement; up !== null; up = up.parentElement) if (up.matches("ul,ol,menu")) depth++
      return { depth, ordered: item.parentElement.matches("ol"), text: own, ...flag(item) }
    })
    .filter(({ text }) => text !== "")
  const hidden = []
  for (const element of document.querySelectorAll(
    "script,style,template,[hidden],[style*='display:none'],[style*='display: none']"
  )) {
    const text = words(element.tagName === "TEMPLATE" ? element.content.textContent : element.textContent)
    if (text.length > 3 && element.closest("svg") === null) hidden.push(text.slice(0, 60))
  }
  return { text: blocks, headings, links, images, tables, code, inlineCode, items, hidden }
}
