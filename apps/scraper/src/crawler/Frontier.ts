/**
 * The pages of a job that wait to be begun, by host: hosts rotate, the pages of one host come in the order in which
 * they were added, and no host has more than `perHost` of them in work. So a host that is slow holds no other up.
 */
export class Frontier {
  private readonly hosts = new Map<string, Host>()
  /** Hosts with a page that may be begun, the next one first. */
  private readonly ready: Array<Host> = []
  private readonly perHost: number

  constructor(perHost: number) {
    this.perHost = perHost
  }

  /** Adds a page behind the others of its host. */
  add(name: string, id: number): void {
    const host = this.hosts.get(name) ?? { waiting: [], begun: 0, inWork: 0, isReady: false }
    this.hosts.set(name, host)
    host.waiting.push(id)
    this.makeReady(host)
  }

  /** The next page to begin, or none while every host is at its limit. It counts as in work. */
  next(): number | undefined {
    const host = this.ready.shift()
    if (host === undefined) return undefined
    host.isReady = false
    const id = host.waiting[host.begun++]
    host.inWork++
    if (host.begun === host.waiting.length) {
      host.waiting.length = 0
      host.begun = 0
    }
    this.makeReady(host)
    return id
  }

  /** Says that a page of the host is in work no more. */
  ended(name: string): void {
    const host = this.hosts.get(name)
    if (host === undefined) return
    host.inWork--
    this.makeReady(host)
  }

  private makeReady(host: Host): void {
    if (host.isReady || host.inWork >= this.perHost || host.begun === host.waiting.length) return
    host.isReady = true
    this.ready.push(host)
  }
}

interface Host {
  readonly waiting: Array<number>
  /** How many of `waiting` have been begun. */
  begun: number
  inWork: number
  isReady: boolean
}
