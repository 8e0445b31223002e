import { DateTime, Schema, type SchemaAST } from "effect"
import {
  looseBoolean,
  looseInstant,
  looseInteger,
  looseNumber,
  looseText,
  looseWord,
  unreadable
} from "./looseValues.ts"

/** What a lenient reader makes of a type: any member of it, at any depth, may be null or missing. */
export type Lenient<A> = A extends string | number | boolean | DateTime.Utc | null
  ? A
  : A extends ReadonlyArray<infer Item>
    ? ReadonlyArray<Exclude<Lenient<Item>, null>>
    : A extends object
      ? { readonly [M in keyof A]?: Lenient<Exclude<A[M], null | undefined>> | null }
      : A

/** Told of each value that could not be read: the path to it, and the value as it came. */
export type NoteUnread = (path: ReadonlyArray<string | number>, raw: unknown) => void

type Path = ReadonlyArray<string | number>
type Reader = (raw: unknown, path: Path, note: NoteUnread) => unknown

/** Members that are measured, in milliseconds: a server may give a fraction of one. All other whole numbers are counted. */
const measured = new Set<PropertyKey>(["duration_ms", "execution_time"])

/** Members of an object in which a list of texts names a URL. */
const urlMembers = ["url", "href", "link"] as const

/**
 * Reads a value of a schema from whatever a server sends for it. What is missing or a filler is null; a value in another dress (a
 * number as text, a text as number, a word in other case) is read; of any other value `note` is told, and null takes its place. An
 * element of a list that cannot be read spoils no other. The value itself is null where it is not of the schema's kind at all.
 */
export const lenientReader = <A>(
  schema: Schema.Codec<A, unknown>
): ((raw: unknown, note: NoteUnread) => Lenient<A> | null) => {
  const read = readerOf(schema.ast, "")
  return (raw, note) => read(raw, [], note) as Lenient<A> | null
}

const readerOf = (ast: SchemaAST.AST, name: PropertyKey): Reader => {
  if (ast.encoding !== undefined) return decodedReader(ast)
  const fits = Schema.is(Schema.make(ast))
  switch (ast._tag) {
    case "String":
      return scalarReader(looseText, fits)
    case "Number":
      return fits(0.5)
        ? scalarReader(looseNumber, fits)
        : scalarReader((raw) => looseInteger(raw, measured.has(name)), fits)
    case "Boolean":
      return scalarReader(looseBoolean, fits)
    case "Union":
      return unionReader(ast, name, fits)
    case "Arrays": {
      const [item] = ast.rest
      if (item === undefined || ast.rest.length !== 1) return plainReader(fits)
      const read = readerOf(item, name)
      return listReader(item._tag === "String" ? (raw, path, note) => read(urlIn(raw) ?? raw, path, note) : read)
    }
    case "Objects":
      return ast.indexSignatures.length === 0 ? objectReader(ast.propertySignatures) : plainReader(fits)
    default:
      return plainReader(fits)
  }
}

type Fits = (value: unknown) => boolean

/** Zero where it is no value of the member stands for none: a filler of generated answers. */
const scalarReader =
  (loose: (raw: unknown) => unknown, fits: Fits): Reader =>
  (raw, path, note) => {
    const value = loose(raw)
    if (value === null || (value !== unreadable && fits(value))) return value
    if (value !== 0) note(path, raw)
    return null
  }

const unionReader = (ast: SchemaAST.Union, name: PropertyKey, fits: Fits): Reader => {
  const types = ast.types.filter((type) => type._tag !== "Null")
  const [only] = types
  if (only !== undefined && types.length === 1) return readerOf(only, name)
  const words = types.flatMap((type) =>
    type._tag === "Literal" && typeof type.literal === "string" ? type.literal : []
  )
  return words.length === types.length ? scalarReader((raw) => looseWord(raw, words), fits) : plainReader(fits)
}

const plainReader =
  (fits: Fits): Reader =>
  (raw, path, note) => {
    if (raw === undefined || raw === null || fits(raw)) return raw ?? null
    note(path, raw)
    return null
  }

/** Of what the wire spells in another way, instants are what there is. */
const decodedReader = (ast: SchemaAST.AST): Reader => {
  const fits = Schema.is(Schema.toType(Schema.make(ast)))
  return scalarReader((raw) => {
    const millis = looseInstant(raw)
    return typeof millis === "number" ? DateTime.makeUnsafe(millis) : millis
  }, fits)
}

const listReader =
  (item: Reader): Reader =>
  (raw, path, note) => {
    if (raw === undefined || raw === null) return null
    if (!Array.isArray(raw)) {
      note(path, raw)
      return null
    }
    const read: Array<unknown> = []
    for (let at = 0; at < raw.length; at++) {
      const value = item(raw[at], [...path, at], note)
      if (value !== null) read.push(value)
    }
    return read
  }

/** The URL an object names, where a list of texts was to hold it; undefined where the element is no such object. */
export const urlIn = (element: unknown): string | undefined => {
  if (typeof element !== "object" || element === null || Array.isArray(element)) return undefined
  const object = element as { readonly [member: string]: unknown }
  const member = urlMembers.find((name) => typeof object[name] === "string")
  return member === undefined ? undefined : (object[member] as string)
}

const objectReader = (signatures: ReadonlyArray<SchemaAST.PropertySignature>): Reader => {
  const members = signatures.map(({ name, type }) => ({ name, read: readerOf(type, name) }))
  return (raw, path, note) => {
    if (raw === undefined || raw === null) return null
    if (typeof raw !== "object" || Array.isArray(raw)) {
      note(path, raw)
      return null
    }
    const object = raw as { readonly [name: PropertyKey]: unknown }
    return Object.fromEntries(
      members.map(({ name, read }) => [name, read(object[name], [...path, String(name)], note)])
    )
  }
}
