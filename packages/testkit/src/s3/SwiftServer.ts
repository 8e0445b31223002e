import type { ChildProcess } from "node:child_process"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir, userInfo } from "node:os"
import { join } from "node:path"
import { Redacted } from "effect"
import { freePort } from "../freePort.ts"
import { areInstalled, killDaemon, runProgram, startDaemon, untilListening } from "./daemons.ts"
import type { StartedS3 } from "./S3Endpoint.ts"

/** The storage servers of Swift. A proxy before them speaks S3. */
const kinds = ["account", "container", "object"] as const
type Kind = (typeof kinds)[number]

/** Debian's packages, for who has to install them. */
export const swiftPackages = "swift-proxy swift-account swift-container swift-object"

/** The interpreter that Debian's Python packages are installed for. */
const python = "/usr/bin/python3"

/** Whether Debian's OpenStack Swift is installed. */
export const hasSwift = (): Promise<boolean> =>
  areInstalled(["swift-proxy-server", ...kinds.map((kind) => `swift-${kind}-server`)])

/**
 * Starts OpenStack Swift with its S3 API on loopback: one proxy, and one device without replicas in a directory of its own, whose file
 * system has to have extended attributes. All are killed in the end.
 */
export const startSwift = async (): Promise<StartedS3> => {
  const directory = await mkdtemp(join(tmpdir(), "sluice-swift-"))
  const daemons: Array<ChildProcess> = []
  const stop = async (): Promise<void> => {
    await Promise.all(daemons.map(killDaemon))
    await rm(directory, { recursive: true, force: true })
  }
  try {
    const [proxy, account, container, object] = await Promise.all([freePort(), freePort(), freePort(), freePort()])
    const ports = { account, container, object }
    await mkdir(join(directory, "node", "device"), { recursive: true })
    const { stdout: version } = await runProgram(process.env, python, "-c", rings(directory, ports))
    await writeFile(join(directory, "swift.conf"), common)
    const serve = async (name: string, port: number, settings: string) => {
      const file = join(directory, `${name}-server.conf`)
      await writeFile(file, settings)
      const daemon = startDaemon(process.env, `swift-${name}-server`, file)
      daemons.push(daemon)
      await untilListening(port, daemon)
    }
    await Promise.all([
      ...kinds.map((kind) => serve(kind, ports[kind], storageSettings(directory, kind, ports[kind]))),
      serve("proxy", proxy, proxySettings(directory, proxy))
    ])
    return {
      endpoint: `http://127.0.0.1:${proxy}`,
      region: "us-east-1",
      accessKeyId: "test:tester",
      secretAccessKey: Redacted.make("testing"),
      label: `Swift ${version.trim()}`,
      stop
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A program that says where the one device is, and prints Swift's version. */
const rings = (directory: string, ports: Readonly<Record<Kind, number>>): string => `
import swift
from swift.common.ring import RingBuilder
for kind, port in ${JSON.stringify(Object.entries(ports))}:
    ring = RingBuilder(2, 1, 0)
    ring.add_dev(dict(id=0, region=1, zone=1, ip="127.0.0.1", port=port, device="device", weight=1))
    ring.rebalance()
    ring.get_ring().save("%s/%s.ring.gz" % (${JSON.stringify(directory)}, kind))
print(swift.__version__)
`

const common = `[swift-hash]
swift_hash_path_suffix = sluice
[storage-policy:0]
name = only
default = yes
`

/** What every server is told. It writes to no log: there is nobody to read it. */
const defaults = (directory: string, port: number): string => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = ${userInfo().username}
swift_dir = ${directory}
log_level = CRITICAL
log_address = ${directory}/no-log
`

const storageSettings = (directory: string, kind: Kind, port: number): string => `${defaults(directory, port)}
devices = ${directory}/node
mount_check = false
disable_fallocate = true
[pipeline:main]
pipeline = ${kind}-server
[app:${kind}-server]
use = egg:swift#${kind}
`

/** Without a cache: it is asked for, does not answer, and is done without. */
const proxySettings = (directory: string, port: number): string => `${defaults(directory, port)}
[pipeline:main]
pipeline = ${[...middleware, "proxy-server"].join(" ")}
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
${middleware.map((name) => `[filter:${name}]\nuse = egg:swift#${name === "cache" ? "memcache" : name}\n${told[name] ?? ""}`).join("")}`

const middleware = ["catch_errors", "gatekeeper", "cache", "listing_formats", "s3api", "tempauth", "copy", "slo"]

const told: Readonly<Record<string, string>> = {
  cache: "memcache_servers = 127.0.0.1:1\n",
  tempauth: "user_test_tester = testing .admin\n"
}
