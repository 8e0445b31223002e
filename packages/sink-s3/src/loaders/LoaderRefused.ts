import { Schema } from "effect"

/** No text can be made as it was asked for. `detail` says what is in the way and what to do. */
export class LoaderRefused extends Schema.TaggedError<LoaderRefused>()("LoaderRefused", { detail: Schema.String }) {
  override get message(): string {
    return this.detail
  }
}
