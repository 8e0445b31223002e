import type { ChildProcess } from "node:child_process"
import { randomUUID } from "node:crypto"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Redacted } from "effect"
import { freePort } from "../freePort.ts"
import { areInstalled, killDaemon, runProgram, startDaemon, untilListening } from "./daemons.ts"
import type { StartedS3 } from "./S3Endpoint.ts"

const programs = ["ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin"]

/** Whether the programs of a Ceph gateway are installed. */
export const hasCeph = (): Promise<boolean> => areInstalled(programs)

/**
 * Starts a Ceph object gateway on loopback, on one monitor and one storage daemon that keeps all in memory. They are killed in
 * the end: nothing they hold is to outlive them.
 */
export const startCephGateway = async (): Promise<StartedS3> => {
  const directory = await mkdtemp(join(tmpdir(), "sluice-ceph-"))
  const daemons: Array<ChildProcess> = []
  const stop = async (): Promise<void> => {
    await Promise.all(daemons.toReversed().map(killDaemon))
    await rm(directory, { recursive: true, force: true })
  }
  try {
    const port = await bringUp(directory, daemons)
    const { stdout } = await run(directory, "radosgw", "--version")
    return {
      endpoint: `http://127.0.0.1:${port}`,
      region: "us-east-1",
      accessKeyId,
      secretAccessKey: Redacted.make(secretAccessKey),
      label: `Ceph RGW ${/ceph version ([\d.]+)/.exec(stdout)?.[1] ?? "of no version"}`,
      stop
    }
  } catch (error) {
    await stop()
    throw error
  }
}

const accessKeyId = "test"
const secretAccessKey = "testsecret"

const bringUp = async (directory: string, daemons: Array<ChildProcess>): Promise<number> => {
  const [port, first, second] = await Promise.all([freePort(), freePort(), freePort()])
  const fsid = randomUUID()
  const monitor = `[v2:127.0.0.1:${first},v1:127.0.0.1:${second}]`
  await Promise.all(["mon", "osd", "rgw"].map((name) => mkdir(join(directory, name))))
  await writeFile(join(directory, "ceph.conf"), settings({ directory, fsid, monitor, port }))
  const keyring = join(directory, "keyring")
  const newKey = (name: string, ...rights: ReadonlyArray<string>) =>
    run(
      directory,
      "ceph-authtool",
      keyring,
      "--gen-key",
      "-n",
      name,
      ...rights.flatMap((on) => ["--cap", on, "allow *"])
    )
  await run(directory, "ceph-authtool", "--create-keyring", keyring)
  await newKey("mon.", "mon")
  await newKey("client.admin", "mon", "osd", "mgr")
  await newKey("osd.0", "mon", "osd")
  await newKey("client.rgw", "mon", "osd")

  const map = join(directory, "monmap")
  await run(directory, "monmaptool", "--create", "--fsid", fsid, "--addv", "a", monitor, map)
  await run(directory, "ceph-mon", "-i", "a", "--mkfs", "--monmap", map, "--keyring", keyring)
  daemons.push(daemon(directory, "ceph-mon", "-i", "a", "-f"))

  const osd = randomUUID()
  await run(directory, "ceph", "osd", "new", osd)
  await run(directory, "ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
  daemons.push(daemon(directory, "ceph-osd", "-i", "0", "-f"))

  const user = ["--uid=test", "--display-name=test", `--access-key=${accessKeyId}`, `--secret=${secretAccessKey}`]
  await run(directory, "radosgw-admin", "-n", "client.rgw", "user", "create", ...user)
  const gateway = daemon(directory, "radosgw", "-n", "client.rgw", "-f")
  daemons.push(gateway)
  await untilListening(port, gateway)
  return port
}

/** Settings without replication, and without waiting for others to agree. */
const settings = (of: {
  readonly directory: string
  readonly fsid: string
  readonly monitor: string
  readonly port: number
}): string => `[global]
fsid = ${of.fsid}
mon_host = ${of.monitor}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
run_dir = ${of.directory}
admin_socket = ${of.directory}/$name.asok
log_file = ${of.directory}/$name.log
keyring = ${of.directory}/keyring
crash_dir = ${of.directory}
[mon]
mon_data = ${of.directory}/mon
mon_osd_min_up_ratio = 0
[osd]
osd_data = ${of.directory}/osd
osd_objectstore = memstore
memstore_device_bytes = 4294967296
osd_class_load_list = *
osd_class_default_list = *
[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:${of.port}
rgw_data = ${of.directory}/rgw
rgw_multipart_min_part_size = 5242880
`

const environment = (directory: string) => ({ ...process.env, CEPH_CONF: join(directory, "ceph.conf") })

const run = (directory: string, program: string, ...args: ReadonlyArray<string>) =>
  runProgram(environment(directory), program, ...args)

const daemon = (directory: string, program: string, ...args: ReadonlyArray<string>): ChildProcess =>
  startDaemon(environment(directory), program, ...args)
