import type { SourceFile, SourcePackage } from "./SourceTree.ts"

/** The order of rooms: layers from the ground up. A room may import from lower layers and from itself. */
export interface RoomOrder {
  readonly packages: ReadonlyArray<ReadonlyArray<string>>
  /** By folder: the order of the folders in it. Files beside them are on no layer; see {@link upwardArrows}. */
  readonly rooms: Readonly<Record<string, ReadonlyArray<ReadonlyArray<string>>>>
}

/**
 * Finds the imports that break the order of rooms, one sentence each. A file beside the rooms counts as part of the path: a room
 * that imports it imports what it imports. A room that the order does not name is an error, so that the order stays complete.
 */
export const upwardArrows = (packages: ReadonlyArray<SourcePackage>, order: RoomOrder): ReadonlyArray<string> => [
  ...packages.flatMap((each) => packageArrows(each, packages, order)),
  ...packages.flatMap(({ files, folder }) =>
    Object.keys(order.rooms)
      .filter((parent) => parent === `${folder}/src` || parent.startsWith(`${folder}/src/`))
      .flatMap((parent) => roomArrows(files, parent, order.rooms[parent] ?? []))
  ),
  ...packages.flatMap(({ folder }) =>
    order.rooms[`${folder}/src`] === undefined ? [`${folder}/src has no order: add one to .ci/house/rooms.json`] : []
  )
]

const layerOf = (layers: ReadonlyArray<ReadonlyArray<string>>, name: string) =>
  layers.findIndex((layer) => layer.includes(name))

const packageArrows = (
  { files, folder, name }: SourcePackage,
  packages: ReadonlyArray<SourcePackage>,
  { packages: layers }: RoomOrder
): ReadonlyArray<string> => {
  const own = layerOf(layers, folder)
  if (own === -1) return [`the package ${folder} has no place in the order: add it to .ci/house/rooms.json`]
  const folders = new Map(packages.map((each) => [each.name, each.folder]))
  return files.flatMap((file) =>
    file.packages.flatMap((imported) => {
      const target = folders.get(imported)
      if (target === undefined || imported === name || layerOf(layers, target) < own) return []
      return [`${file.path} imports ${imported}, and ${folder} is not above ${target}`]
    })
  )
}

const roomArrows = (
  files: ReadonlyArray<SourceFile>,
  parent: string,
  layers: ReadonlyArray<ReadonlyArray<string>>
): ReadonlyArray<string> => {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const roomOf = (path: string): string | undefined => {
    const rest = path.startsWith(`${parent}/`) ? path.slice(parent.length + 1) : ""
    return rest.includes("/") ? rest.slice(0, rest.indexOf("/")) : undefined
  }
  const rooms = new Set(files.flatMap(({ path }) => roomOf(path) ?? []))
  const unknown = [...rooms].filter((room) => layerOf(layers, room) === -1)
  const arrows = files.flatMap((file) => {
    const room = roomOf(file.path)
    if (room === undefined || unknown.includes(room)) return []
    const seen = new Set<string>()
    const found: Array<string> = []
    const walk = (path: string, via: ReadonlyArray<string>): void => {
      for (const target of byPath.get(path)?.imports ?? []) {
        if (seen.has(target)) continue
        const other = roomOf(target)
        if (other === room) continue
        seen.add(target)
        const isBeside = other === undefined && target.startsWith(`${parent}/`)
        if (isBeside) walk(target, [...via, target])
        else if (other !== undefined && layerOf(layers, other) >= layerOf(layers, room)) {
          const through = via.length === 0 ? "" : ` through ${via.join(", ")}`
          found.push(`${file.path} imports ${target}${through}, and ${room} is not above ${other}`)
        }
      }
    }
    walk(file.path, [])
    return found
  })
  return [
    ...unknown.map((room) => `${parent}/${room} has no place in the order of rooms: add it to .ci/house/rooms.json`),
    ...arrows
  ]
}
