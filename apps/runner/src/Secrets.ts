import { makeRedactor, secretsInAddress } from "@sluice/core/config"
import { Context } from "effect"

/**
 * The secrets this process was given. What it prints is built without them; this hides them where the text is nobody's: in the
 * stack of a defect, and in the causes of log entries.
 */
export class SecretBox {
  readonly #values = new Set<string>()

  /** Remembers a secret. */
  add(value: string): void {
    this.#values.add(value)
  }

  /** Remembers the password and the like of an address. */
  addAddress(address: string): void {
    for (const secret of secretsInAddress(address)) this.add(secret)
  }

  /** Hides every remembered secret in a text. */
  redact(text: string): string {
    return makeRedactor(this.#values)(text)
  }
}

/** The secrets of this process. */
export const Secrets: Context.Reference<SecretBox> = Context.Reference("@sluice/runner/Secrets", {
  defaultValue: () => new SecretBox()
})
