import { assert, describe, it } from "@effect/vitest"
import { isPublicAddress } from "../src/index.ts"
import { isBlockedLiteral } from "../src/net/AddressGuard.ts"

const blocked = [
  "0.0.0.0",
  "10.0.0.1",
  "100.64.0.1",
  "127.0.0.1",
  "127.255.255.254",
  "168.63.129.16",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.1",
  "192.0.2.1",
  "192.168.1.1",
  "198.18.0.1",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::7f00:1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::ffff:8.8.8.8",
  "64:ff9b::7f00:1",
  "64:ff9b:1::a00:1",
  "100::1",
  "2001::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "2002:a00:1::",
  "fc00::1",
  "fd00:ec2::254",
  "fe80::1",
  "fe80::1%eth0",
  "fec0::1",
  "ff02::1",
  "not an address",
  ""
]
const open = [
  "1.1.1.1",
  "8.8.8.8",
  "93.184.216.34",
  "172.32.0.1",
  "100.128.0.1",
  "2606:4700:4700::1111",
  "2a00:1450::1"
]

describe("AddressGuard", () => {
  for (const address of blocked) it(`${address} is not public`, () => assert.isFalse(isPublicAddress(address)))
  for (const address of open) it(`${address} is public`, () => assert.isTrue(isPublicAddress(address)))

  // A URL parser rewrites every spelling of an address before the guard sees it.
  for (const host of [
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "0x7f.0.0.1",
    "127.0.0.1.",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "[fd00::1]",
    "１２７.0.0.1",
    "169.254.169.254",
    "3232235777"
  ]) {
    it(`http://${host}/ is blocked`, () => assert.isTrue(isBlockedLiteral(new URL(`http://${host}/`).hostname)))
  }
  for (const host of ["example.com", "8.8.8.8", "[2606:4700:4700::1111]", "10.0.0.1.example.com"]) {
    it(`http://${host}/ is not`, () => assert.isFalse(isBlockedLiteral(new URL(`http://${host}/`).hostname)))
  }
})
