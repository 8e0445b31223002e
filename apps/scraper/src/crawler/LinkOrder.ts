import type { PageState } from "./PageState.ts"

/** Whose links are followed next: of each host in the order of its pages. Hosts do not wait for each other. */
export class LinkOrder {
  private readonly state: PageState
  /** The pages of each host that are not followed, the next one first. */
  private readonly hosts = new Map<string, Array<number>>()

  constructor(state: PageState) {
    this.state = state
  }

  /** Adds a page behind the others of its host. */
  add(host: string, id: number): void {
    const pages = this.hosts.get(host)
    if (pages === undefined) this.hosts.set(host, [id])
    else pages.push(id)
  }

  /** Takes the pages of the host whose turn has come: those that have ended, up to the first that has not. */
  take(host: string): ReadonlyArray<number> {
    const pages = this.hosts.get(host) ?? []
    const open = pages.findIndex((id) => !this.state.hasEnded(id))
    return pages.splice(0, open === -1 ? pages.length : open)
  }
}
