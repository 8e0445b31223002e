import type { ChildProcess } from "node:child_process"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir, userInfo } from "node:os"
import { join } from "node:path"
import { Redacted } from "effect"
import { freePort } from "../freePort.ts"
import { areInstalled, killDaemon, startDaemon, untilListening } from "./daemons.ts"
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
 * system has to have extended attributes. Its process is killed in the end.
 */
export const startSwift = async (): Promise<StartedS3> => {
  const directory = await mkdtemp(join(tmpdir(), "sluice-swift-"))
  let daemon: ChildProcess | undefined
  const stop = async (): Promise<void> => {
    if (daemon !== undefined) await killDaemon(daemon)
    await rm(directory, { recursive: true, force: true })
  }
  try {
    const [proxy, account, container, object] = await Promise.all([freePort(), freePort(), freePort(), freePort()])
    const ports = { account, container, object, proxy }
    await mkdir(join(directory, "node", "device"), { recursive: true })
    await writeFile(join(directory, "swift.conf"), common)
    for (const kind of kinds) {
      await writeFile(join(directory, `${kind}.conf`), storageSettings(directory, kind, ports[kind]))
    }
    await writeFile(join(directory, "proxy.conf"), proxySettings(directory, proxy))
    daemon = startDaemon(process.env, python, "-c", program, directory, JSON.stringify(ports))
    await untilListening(proxy, daemon)
    return {
      endpoint: `http://127.0.0.1:${proxy}`,
      region: "us-east-1",
      accessKeyId: "test:tester",
      secretAccessKey: Redacted.make("testing"),
      label: "OpenStack Swift",
      stop
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The four servers in one process, the proxy last: Python takes longer to load Swift than all that they do here. */
const program = `
import json, os, sys
import eventlet
eventlet.monkey_patch(all=False, socket=True, select=True, thread=True)
from eventlet import wsgi
from swift.common.ring import RingBuilder
from swift.common.wsgi import SwiftHttpProtocol, get_socket, init_request_processor
directory, ports = sys.argv[1], json.loads(sys.argv[2])
for kind in ("account", "container", "object"):
    ring = RingBuilder(2, 1, 0)
    ring.add_dev(dict(id=0, region=1, zone=1, ip="127.0.0.1", port=ports[kind], device="device", weight=1))
    ring.rebalance()
    ring.get_ring().save(os.path.join(directory, kind + ".ring.gz"))
for kind in ("account", "container", "object", "proxy"):
    app, conf, _, _ = init_request_processor(os.path.join(directory, kind + ".conf"), kind + "-server")
    options = dict(protocol=SwiftHttpProtocol, capitalize_response_headers=False, log_output=False)
    thread = eventlet.spawn(wsgi.server, get_socket(conf), app, **options)
thread.wait()
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
