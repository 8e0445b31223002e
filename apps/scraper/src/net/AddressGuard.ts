import { type LookupAddress, type LookupAllOptions, lookup } from "node:dns"
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

/** Addresses of the public range that lead into the network of a cloud's own machines: Azure's, which hands out secrets. */
const ofClouds = new Set(["168.63.129.16"])

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
  if (parsed.range() !== "unicast" || ofClouds.has(parsed.toString())) return false
  return parsed.kind() === "ipv4" || parsed.match(globalUnicastV6)
}

/** Whether a URL's host is an IP literal that is not public. Names are judged when they are resolved. */
export const isBlockedLiteral = (hostname: string): boolean => {
  const bare = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname
  return isIP(bare) !== 0 && !isPublicAddress(bare)
}

/** Resolves a name to all its addresses. */
export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: Array<LookupAddress>) => void
) => void

/** A lookup that asks once, and answers nothing but public addresses. */
export const publicLookup =
  (resolve: Resolve): LookupFunction =>
  (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
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
  const connect = buildConnector({ ...plain, lookup: publicLookup(lookup) })
  return (target, callback) =>
    isBlockedLiteral(target.hostname) ? callback(new BlockedAddress(target.hostname), null) : connect(target, callback)
}
