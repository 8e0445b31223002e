import { readFileSync } from "node:fs"
import { parse } from "yaml"
import type { Json } from "./JsonShape.ts"

const read = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), "utf8")

/** The reference document of the wire. */
export const reference: Json = parse(read("openapi.yaml"))

/** Each example body with the name of the schema it satisfies. */
export const examples: ReadonlyArray<{ readonly file: string; readonly schema: string; readonly body: unknown }> =
  Object.entries<string>(JSON.parse(read("manifest.json")).schemas).map(([file, schema]) => ({
    file,
    schema,
    body: JSON.parse(read(file))
  }))
