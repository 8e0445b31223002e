import type { Terminal } from "@xterm/headless"

/** A run of characters of one look. */
interface Span {
  readonly text: string
  readonly colour: string | undefined
  readonly isBold: boolean
  readonly isDim: boolean
}

/** What a terminal showed, and when: milliseconds from the start. */
export interface Frame {
  readonly atMs: number
  readonly lines: ReadonlyArray<ReadonlyArray<Span>>
}

const palette = ["#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4"]
const cell = { width: 8.4, height: 18 }
const margin = 16
/** The most frames a drawing holds: the others are left out evenly. */
const mostFrames = 40
/** How long nothing may move, in milliseconds, and how long the end is shown. */
const longestPause = 700
const endPause = 6000

/** The screen of a terminal, line by line. */
export const screenOf = (terminal: Terminal): Frame["lines"] => {
  const { active } = terminal.buffer
  return Array.from({ length: terminal.rows }, (_, row) => {
    const line = active.getLine(active.baseY + row)
    const spans: Array<Span> = []
    for (let column = 0; column < terminal.cols; column++) {
      const at = line?.getCell(column)
      if (at === undefined || at.getWidth() === 0) continue
      const colour = at.isFgPalette() ? palette[at.getFgColor() % palette.length] : undefined
      const look = { colour, isBold: at.isBold() !== 0, isDim: at.isDim() !== 0 }
      const last = spans.at(-1)
      const text = at.getChars() || " "
      if (last !== undefined && last.colour === colour && last.isBold === look.isBold && last.isDim === look.isDim)
        spans[spans.length - 1] = { ...last, text: last.text + text }
      else spans.push({ text, ...look })
    }
    const last = spans.at(-1)
    if (last !== undefined) spans[spans.length - 1] = { ...last, text: last.text.trimEnd() }
    return spans.filter(({ text }) => text !== "")
  })
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const drawSpan = ({ colour, isBold, isDim, text }: Span): string => {
  const look = [
    colour === undefined ? "" : ` fill="${colour}"`,
    isBold ? ' font-weight="bold"' : "",
    isDim ? ' opacity="0.7"' : ""
  ].join("")
  return look === "" ? escaped(text) : `<tspan${look}>${escaped(text)}</tspan>`
}

const drawLines = (lines: Frame["lines"]): string =>
  lines
    .map((spans, row) =>
      spans.length === 0
        ? ""
        : `<text xml:space="preserve" x="${margin}" y="${margin + (row + 1) * cell.height}">${spans.map(drawSpan).join("")}</text>`
    )
    .join("")

const withoutRepeats = (frames: ReadonlyArray<Frame>): ReadonlyArray<Frame> => {
  const drawn = frames.filter(
    ({ lines }, at) => at === 0 || JSON.stringify(lines) !== JSON.stringify(frames[at - 1]!.lines)
  )
  const step = Math.max(1, drawn.length / mostFrames)
  return drawn.filter((_, at) => at === drawn.length - 1 || Math.floor(at / step) !== Math.floor((at - 1) / step))
}

/** An animated SVG of a session. Where animations do not run, it shows the last frame. */
export const drawFrames = (
  frames: ReadonlyArray<Frame>,
  { columns, rows }: { readonly columns: number; readonly rows: number }
): string => {
  const kept = withoutRepeats(frames)
  let now = 0
  const starts = kept.map(({ atMs }, at) => {
    if (at > 0) now += Math.min(longestPause, Math.max(80, atMs - kept[at - 1]!.atMs))
    return now
  })
  const total = now + endPause
  const percent = (ms: number) => `${((100 * ms) / total).toFixed(2)}%`
  const rules = starts.map((start, at) => {
    const end = starts[at + 1] ?? total
    const before = start === 0 ? "" : `0%{visibility:hidden}`
    const after = end === total ? "" : `${percent(end)}{visibility:hidden}`
    return `@keyframes f${at}{${before}${percent(start)}{visibility:visible}${after}}.f${at}{animation:f${at} ${total}ms steps(1) infinite}`
  })
  const width = Math.ceil(columns * cell.width + 2 * margin)
  const height = Math.ceil(rows * cell.height + 3 * margin)
  const groups = kept.map(
    ({ lines }, at) =>
      `<g class="f${at}" visibility="${at === kept.length - 1 ? "visible" : "hidden"}">${drawLines(lines)}</g>`
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="A terminal session: init, run, query">`,
    `<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre;fill:#e6edf3}${rules.join("")}</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>`,
    ...groups,
    "</svg>",
    ""
  ].join("\n")
}
