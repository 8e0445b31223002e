import { Context } from "effect"

/** What the process ends with when its command succeeds. A command sets it; 0 otherwise. */
export class ExitCodeOfCommand extends Context.Service<ExitCodeOfCommand, { code: number }>()(
  "@sluice/runner/ExitCodeOfCommand"
) {}
