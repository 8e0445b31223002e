/** What `sluice doctor` has looked at. `warn` is nothing that keeps a run from its work, `skipped` was not tried. */
export interface HealthCheck {
  readonly name: string
  readonly status: "ok" | "warn" | "failed" | "skipped"
  readonly detail: string
}

/** Makes a check of a status. */
export const check = (status: HealthCheck["status"], name: string, detail: string): HealthCheck => ({
  name,
  status,
  detail
})
