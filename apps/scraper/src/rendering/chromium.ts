import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"
import { Option } from "effect"
import type { LaunchOptions } from "playwright-core"

/** Names under which Chromium and its kin are installed. */
const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "microsoft-edge-stable"]

/** Where they are when `PATH` does not lead to them. */
const places = [
  ...names.map((name) => `/usr/bin/${name}`),
  "/snap/bin/chromium",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Chromium\\Application\\chrome.exe",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe"
]

/** The first Chromium that is found on the given search path or in the usual places. */
export const findChromium = (searchPath: string): Option.Option<string> => {
  const directories = searchPath.split(delimiter).filter((directory) => directory !== "")
  const onPath = directories.flatMap((directory) => names.map((name) => join(directory, name)))
  return Option.fromUndefinedOr([...onPath, ...places].find(isExecutable))
}

/** Whether a file is there and may be run. */
export const isExecutable = (path: string): boolean =>
  Option.isSome(Option.liftThrowable(() => accessSync(path, constants.X_OK))())

/** How long a browser may take to start. */
const launchTimeoutMs = 30_000

/**
 * How the browser is started. Pages bring a proxy of their own; what does not belong to a page finds neither a proxy nor
 * a name server, so that the browser reaches nothing by itself. WebRTC may not use UDP, and QUIC is off: both would pass
 * the proxy by. Chromium refuses to run sandboxed as root, and only then runs without.
 */
export const launchOptions = (settings: {
  readonly executable: string
  readonly heapMiB: number
  readonly isRoot: boolean
}): LaunchOptions => ({
  executablePath: settings.executable,
  headless: true,
  chromiumSandbox: !settings.isRoot,
  timeout: launchTimeoutMs,
  // The server ends its browser itself.
  handleSIGHUP: false,
  handleSIGINT: false,
  handleSIGTERM: false,
  ignoreDefaultArgs: ["--disable-popup-blocking"],
  args: [
    "--proxy-server=http://none.invalid:1",
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    "--disable-notifications",
    "--disable-gpu",
    `--js-flags=--max-old-space-size=${settings.heapMiB}`
  ]
})
