import { isUtf8 } from "node:buffer"
import { Result } from "effect"

/** A text, or where its bytes are no UTF-8. A byte order mark at its start is dropped. */
export const readUtf8 = (
  bytes: Uint8Array
): Result.Result<string, { readonly line: number; readonly column: number; readonly message: string }> => {
  if (isUtf8(bytes)) return Result.succeed(new TextDecoder().decode(bytes))
  const [first = 0, second = 0] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return Result.fail({ line: 1, column: 1, message: "the file is UTF-16; save it as UTF-8" })
  }
  // A newline is part of no other character, so that lines can be judged one by one.
  let start = 0
  for (let line = 1; ; line++) {
    const end = bytes.indexOf(0x0a, start)
    const whole = bytes.subarray(start, end < 0 ? undefined : end)
    if (!isUtf8(whole)) {
      const column = columnOf(whole)
      return Result.fail({ line, column, message: "this byte is no UTF-8; save the file as UTF-8" })
    }
    if (end < 0) return Result.succeed(new TextDecoder().decode(bytes))
    start = end + 1
  }
}

/** The first character that cannot be read. */
const columnOf = (line: Uint8Array): number => {
  let valid = line.length
  while (valid > 0 && !isUtf8(line.subarray(0, valid))) valid--
  return new TextDecoder().decode(line.subarray(0, valid)).length + 1
}
