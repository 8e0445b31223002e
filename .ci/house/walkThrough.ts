import type { SourcePackage } from "./SourceTree.ts"

/** A way through the code: the rooms that a thing passes, in order. */
export interface Walk {
  readonly name: string
  readonly rooms: ReadonlyArray<string>
}

/**
 * Finds what is wrong with a walk, one sentence each: a room that is entered twice, a room that does not exist, and neighbours
 * of which neither imports the other.
 */
export const walkProblems = ({ name, rooms }: Walk, packages: ReadonlyArray<SourcePackage>): ReadonlyArray<string> => {
  const folders = new Map(packages.map((each) => [each.name, each.folder]))
  const files = packages.flatMap((each) => each.files)
  const isIn = (path: string, room: string) =>
    path.startsWith(`${room}/`) && (!room.endsWith("/src") || !path.slice(room.length + 1).includes("/"))
  const importsFrom = (from: string, to: string) =>
    files.some(
      (file) =>
        isIn(file.path, from) &&
        (file.imports.some((target) => isIn(target, to)) ||
          file.packages.some((target) => to.startsWith(`${folders.get(target)}/`)))
    )
  return rooms.flatMap((room, index) => {
    if (!files.some(({ path }) => isIn(path, room))) return [`${name}: there is no room ${room}`]
    const twice = rooms.indexOf(room) < index ? [`${name}: ${room} is entered twice`] : []
    const next = rooms[index + 1]
    const isApart = next !== undefined && !importsFrom(room, next) && !importsFrom(next, room)
    return isApart ? [...twice, `${name}: neither ${room} nor ${next} imports the other`] : twice
  })
}

/** The walks as a part of a document. */
export const walkThrough = (walks: ReadonlyArray<Walk>): string =>
  walks
    .map(
      ({ name, rooms }) =>
        `**${name}:**\n${rooms.map((room) => `\`${room.replace(/^\w+\//, "").replace("/src", "")}\``).join(" → ")}`
    )
    .join("\n\n")
