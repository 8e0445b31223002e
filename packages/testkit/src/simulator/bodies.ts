/** JSON as it is sent. */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | Members
/** An object of it. */
export interface Members {
  readonly [member: string]: Json
}

/** Whether JSON is an object. */
export const isObject = (value: Json | undefined): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** An object without some of its members. */
export const without = (object: Members, names: ReadonlyArray<string>): Members =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))

/** An object with other values for members it has. */
export const withMembers = (body: Json, members: Members): Json =>
  isObject(body)
    ? { ...body, ...Object.fromEntries(Object.entries(members).filter(([name]) => body[name] !== undefined)) }
    : body

/** A body with each of its results changed. */
export const mapResults =
  (change: (item: Members, at: number) => Json) =>
  (body: Json): Json =>
    isObject(body) && Array.isArray(body.results)
      ? { ...body, results: body.results.map((item, at) => (isObject(item) ? change(item, at) : item)) }
      : body
