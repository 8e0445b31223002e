/**
 * The program that writes a page down as its reader sees it, for a browser to run: open shadow roots in the place of their hosts' own
 * children, slots filled, and the content of frames of the same origin in the place of the frame. A page with neither is its
 * own HTML. Answers null where that is longer than `maxLength`.
 */
export const serializePage = (maxLength: number): string => `(() => {
  const { baseURI: base, doctype, documentElement: root, URL: url } = document
  const written = () => {
    if (!root) return ""
    const elements = [...document.querySelectorAll("*")]
    const composed = elements.some((each) => each.shadowRoot || /^(?:iframe|frame)$/.test(each.localName))
    if (!composed) return root.outerHTML
    try {
      return compose(root).outerHTML
    } catch {
      return root.outerHTML
    }
  }
  const contentOf = (frame) => {
    try {
      const inside = frame.contentDocument
      return inside && inside.URL !== "about:blank" && inside.body ? inside : null
    } catch {
      return null
    }
  }
  const make = (name, source) => {
    const copy = document.implementation.createHTMLDocument("").createElement(name)
    if (source) for (const { name, value } of source.attributes) copy.setAttribute(name, value)
    return copy
  }
  // Depth first without recursion: pages are as deep as they like.
  const compose = (top) => {
    let copy
    const work = [{ node: top, into: null, inFrame: false, inFrames: false }]
    const push = (nodes, into, state) => {
      for (let at = nodes.length - 1; at >= 0; at--) work.push({ ...state, node: nodes[at], into })
    }
    while (work.length > 0) {
      const { node, into, ...state } = work.pop()
      if (node.nodeType !== 1) {
        into.append(node.cloneNode(false))
        continue
      }
      if (node.localName === "slot" && node.getRootNode() instanceof ShadowRoot) {
        const assigned = node.assignedNodes()
        push(assigned.length > 0 ? assigned : node.childNodes, into, state)
        continue
      }
      const frame = /^(?:iframe|frame)$/.test(node.localName) ? contentOf(node) : null
      if (frame) {
        const box = make("div")
        into.append(box)
        push(/^frameset$/.test(frame.body.localName) ? [frame.body] : frame.body.childNodes, box, { ...state, inFrame: true, inFrames: false })
        continue
      }
      if (node.localName === "frameset") {
        const box = make(state.inFrames || state.inFrame ? "div" : "body")
        into.append(box)
        push(node.childNodes, box, { ...state, inFrames: true })
        continue
      }
      const itself = node.localName === "template" ? node.cloneNode(true) : node.cloneNode(false)
      if (state.inFrame) {
        for (const name of ["href", "src"]) {
          if (itself.hasAttribute(name) && typeof node[name] === "string") itself.setAttribute(name, node[name])
        }
      }
      if (into) into.append(itself)
      else copy = itself
      if (node.localName !== "template") push((node.shadowRoot ?? node).childNodes, itself, state)
    }
    return copy
  }
  const html = (doctype ? "<!DOCTYPE " + doctype.name + ">" : "") + written()
  return { url, base, html: html.length > ${maxLength} ? null : html, isXml: document.contentType !== "text/html" }
})()`
