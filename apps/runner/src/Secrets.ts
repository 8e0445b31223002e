import { Context } from "effect"

/** Shorter values would blot out ordinary words. */
const shortest = 4

/**
 * Values that must never be printed: API keys, and what came from the environment into a sink's address. Errors are made
 * without them; this is the second lock, in front of everything the process writes.
 */
export class SecretBox {
  readonly #values = new Set<string>()

  /** Remembers a value and, of a URL, its password, as written and decoded. */
  add(value: string): void {
    this.#remember(value)
    if (!URL.canParse(value)) return
    const { password } = new URL(value)
    this.#remember(password)
    this.#remember(decodeURIComponent(password))
  }

  /** The text with every remembered value blotted out, longest first. */
  scrub(text: string): string {
    let scrubbed = text
    for (const value of [...this.#values].sort((a, b) => b.length - a.length)) {
      scrubbed = scrubbed.replaceAll(value, "<redacted>")
    }
    return scrubbed
  }

  #remember(value: string): void {
    if (value.length >= shortest) this.#values.add(value)
  }
}

/** The values this process must not print. */
export const Secrets: Context.Reference<SecretBox> = Context.Reference("@sluice/runner/Secrets", {
  defaultValue: () => new SecretBox()
})
