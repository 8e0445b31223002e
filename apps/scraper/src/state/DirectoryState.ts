import { Effect } from "effect"
import {
  append,
  bytesIn,
  makeDirectory,
  namesIn,
  pathOf,
  readLines,
  readRange,
  readText,
  removePath,
  sizeOf,
  sync,
  writeAtomic
} from "./Files.ts"
import type { State } from "./State.ts"

/** State in a directory: every text is a file. Appends reach the operating system, and the disk when they are synced. */
export const openDirectoryState = (root: string): State => {
  const at = (path: string) => pathOf(root, path)
  return {
    records: (folder, file) =>
      Effect.flatMap(namesIn(at(folder)), (names) =>
        Effect.forEach(names, (name) =>
          Effect.map(readText(at(`${folder}/${name}/${file}`)), (text) => [name, text] as const)
        )
      ),
    prepare: (folder) => makeDirectory(at(folder)),
    read: (path) => readText(at(path)),
    write: (path, text) => writeAtomic(at(path), text),
    append: (path, lines) => append(at(path), lines),
    readLines: (path) => readLines(at(path)),
    sizeOf: (path) => sizeOf(at(path)),
    bytesIn: (folder) => bytesIn(at(folder)),
    readAppended: (path, offset, size) => readRange(at(path), offset, size),
    sync: (path) => sync(at(path)),
    remove: (path) => removePath(at(path)),
    probe: writeAtomic(at("probe"), "")
  }
}
