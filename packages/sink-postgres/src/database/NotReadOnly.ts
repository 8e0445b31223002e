/** Why a statement is not run read-only, in words that quote nothing but itself. */
export class NotReadOnly extends Error {
  /** In characters from 1, where the grammar stopped. */
  readonly position: number | undefined

  constructor(message: string, position?: number) {
    super(message)
    this.position = position
  }
}
