export { sluice, version } from "./cli.ts"
