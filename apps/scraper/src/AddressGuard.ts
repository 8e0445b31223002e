import { type LookupAddress, lookup } from "node:dns"
import { isIP, type LookupFunction } from "node:net"
import ipaddr from "ipaddr.js"
import { buildConnector } from "undici"

/** What the connector fails with when a target's address is not public. */
class BlockedAddress extends Error {
  override readonly name = "BlockedAddress"
  readonly code = "BLOCKED_ADDRESS"
  constructor(target: string) {
    super(`${target} is, or resolves only to, an address that is not public`)
  }
}

const globalUnicastV6 = ipaddr.parseCIDR("2000::/3")

/**
 * Whether an IP address belongs to the public internet. Loopback, private, link-local (with cloud metadata), CGNAT,
 * multicast, documentation and other reserved ranges do not; neither does any IPv6 form that wraps an IPv4 address
 * (mapped, compatible, 6to4, Teredo, NAT64), which could name one of those in disguise.
 */
export const isPublicAddress = (address: string): boolean => {
  const zone = address.indexOf("%")
  const bare = zone === -1 ? address : address.slice(0, zone)
  if (isIP(bare) === 0) return false
  const parsed = ipaddr.parse(bare)
  if (parsed.range() !== "unicast") return false
  return parsed.kind() === "ipv4" || parsed.match(globalUnicastV6)
}

/** Whether a URL's host is an IP literal that is not public. Names are judged when they are resolved. */
export const isBlockedLiteral = (hostname: string): boolean => {
  const bare = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname
  return isIP(bare) !== 0 && !isPublicAddress(bare)
}

const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, "", 0)
    const allowed: Array<LookupAddress> = addresses.filter(({ address }) => isPublicAddress(address))
    const first = allowed[0]
    if (first === undefined) return callback(new BlockedAddress(hostname), "", 0)
    return options.all === true ? callback(null, allowed) : callback(null, first.address, first.family)
  })
}

/**
 * A connector for undici that judges the very address it connects to, so a name cannot resolve to one address for the
 * check and to another for the connection. IP literals never reach a lookup and are judged before connecting.
 */
export const guardedConnector = (options: {
  readonly allowPrivateTargets: boolean
  readonly connectTimeoutMs: number
}): buildConnector.connector => {
  const plain = { timeout: options.connectTimeoutMs, allowH2: false }
  if (options.allowPrivateTargets) return buildConnector(plain)
  const connect = buildConnector({ ...plain, lookup: publicLookup })
  return (target, callback) =>
    isBlockedLiteral(target.hostname) ? callback(new BlockedAddress(target.hostname), null) : connect(target, callback)
}
