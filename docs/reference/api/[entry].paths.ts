import { basename } from "node:path"
import { apiPages } from "../../../.ci/docs/apiReference.ts"

/** A page for each entry of the packages, made while the site is built. */
export default {
  paths: () => apiPages().map(({ path, text }) => ({ params: { entry: basename(path, ".md") }, content: text }))
}
