import { fileJsonSchema } from "../../apps/runner/src/PipelineFile.ts"

/** The part of JSON Schema that the schema of pipeline files uses. */
interface Node {
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, Node>>
  readonly type?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly anyOf?: ReadonlyArray<Node>
  readonly items?: Node
  readonly properties?: Readonly<Record<string, Node>>
  readonly additionalProperties?: boolean | Node
  readonly required?: ReadonlyArray<string>
  readonly description?: string
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxLength?: number
}

interface Field {
  readonly path: string
  readonly node: Node
  readonly isRequired: boolean
}

/** The page that lists every field of a pipeline file, made from the JSON Schema that `sluice schema` prints. */
export const pipelineFields = (): string => {
  const schema: Node = JSON.parse(JSON.stringify(fileJsonSchema()))
  const definitions = schema.$defs ?? {}
  const resolve = (node: Node): Node => {
    const { $ref, ...own } = node
    return $ref === undefined ? node : { ...resolve(definitions[$ref.slice("#/$defs/".length)] ?? {}), ...own }
  }
  const properties = (node: Node, prefix: string): ReadonlyArray<Field> =>
    Object.entries(node.properties ?? {}).map(([name, child]) => ({
      path: prefix === "" ? name : `${prefix}.${name}`,
      node: resolve(child),
      isRequired: node.required?.includes(name) ?? false
    }))
  /** Lists a field and the fields in it; `[]` marks the items of a list. */
  const expand = (field: Field): ReadonlyArray<Field> => {
    const alternatives = (field.node.anyOf ?? []).map(resolve)
    const inItems = field.node.items === undefined ? [] : properties(resolve(field.node.items), `${field.path}[]`)
    const inside = [field.node, ...alternatives].flatMap((node) => properties(node, field.path))
    return [field, ...[...inside, ...inItems].flatMap(expand)]
  }
  const fields = properties(schema, "").flatMap(expand)
  // Fields with fields of their own below them become a section, at most two levels deep: `source.crawl`, `sinks[].s3`.
  const sectionOf = ({ path }: Field) => {
    const parts = path.split(".")
    const isGroup = (head: string) => fields.some((each) => each.path.startsWith(`${head}.`))
    const head = ["source", "sinks[]", "vault"].includes(parts[0] ?? "")
      ? parts.slice(0, 2).join(".")
      : (parts[0] ?? "")
    return isGroup(head) || isGroup(`${head}[]`) ? head : ""
  }
  const sections = [...Map.groupBy(fields, sectionOf)].sort(([a], [b]) => placeOf(a) - placeOf(b))
  const rowOf = ({ isRequired, node, path }: Field) => [
    `\`${path}\``,
    valueOf(node, resolve),
    isRequired ? "required" : shown(node.default),
    cell(node.description ?? "")
  ]
  const sectionText = (name: string, own: ReadonlyArray<Field>): ReadonlyArray<string> => {
    const head = own.find(({ path }) => path === name)
    // What heads a section is a row of its own where it may be something else than fields.
    const rows = own.filter((each) => each !== head || each.node.anyOf !== undefined).map(rowOf)
    if (rows.length === 0) return []
    const line = (cells: ReadonlyArray<string>) => `| ${cells.join(" | ")} |`
    const table = [
      line(["Field", "Value", "When absent", "What"]),
      line(["---", "---", "---", "---"]),
      ...rows.map(line)
    ]
    return [
      `## ${name === "" ? "Top level" : name.replace("[]", "").replace(".", " ")}`,
      ...(head?.node.description === undefined ? [] : [head.node.description]),
      table.join("\n")
    ]
  }
  return `${[
    "# Fields of pipeline files",
    "Every field with its type and bounds. [Pipeline files](pipeline-files.md) says what the fields do.",
    "<!-- Generated from the JSON Schema of pipeline files by `pnpm docs:reference`. -->",
    ...sections.flatMap(([name, own]) => sectionText(name, own))
  ].join("\n\n")}\n`
}

/** The order of a file as people write it; what is not named here comes last, in the order of the schema. */
const firstSections = ["", "source", "transforms[]", "sinks[]", "budget", "expect", "quarantine"]

const placeOf = (name: string) => {
  const place = firstSections.indexOf(name.split(".")[0] ?? "")
  return place === -1 ? firstSections.length : place
}

const cell = (text: string) => text.replaceAll("|", "\\|")

const shown = (value: unknown) => (value === undefined || value === null ? "" : `\`${JSON.stringify(value)}\``)

/** Integers are bounded by what JavaScript holds: no bound of ours. */
const isBound = (value: number | undefined) => value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER

const boundsOf = ({ maximum, maxLength, minimum }: Node): string => {
  if (isBound(minimum) && isBound(maximum)) return `, ${minimum} to ${maximum}`
  if (isBound(minimum)) return `, at least ${minimum}`
  if (isBound(maximum)) return `, at most ${maximum}`
  return maxLength === undefined ? "" : `, at most ${maxLength} characters`
}

const valueOf = (node: Node, resolve: (node: Node) => Node): string => {
  if (node.enum !== undefined) return node.enum.map((value) => `\`${value}\``).join(", ")
  if (node.anyOf !== undefined) {
    return [...new Set(node.anyOf.map((each) => valueOf(resolve(each), resolve)))].join(" or ")
  }
  if (node.items !== undefined) return `list of ${valueOf(resolve(node.items), resolve)}`
  if (node.type === "object") return typeof node.additionalProperties === "object" ? "names and values" : "fields below"
  return `${node.type ?? "any"}${boundsOf(node)}`
}
