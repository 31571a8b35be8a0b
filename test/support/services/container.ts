import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GenericContainer } from 'testcontainers';
import type { OwnInstance } from './service.ts';
import { removeData } from './log-tails.ts';

/**
 * A server in a container, where a Docker engine answers. Not run where no Docker engine was: written against testcontainers 12.
 *
 * Containers reach each other and the host by `host.docker.internal` and published ports, so a test sees the same ports as with local servers, and a
 * killed container is found at its old port again. testcontainers' own reaper ends them with the process that started them.
 */

/** The host's name inside a container. */
export const HOST_INSIDE = 'host.docker.internal';
const READY_MS = 180_000;
const POLL_MS = 200;

/** What to start. */
export interface ContainerPlan {
  readonly image: string;
  /** Ports of the container and the host's that lead to them. */
  readonly ports: readonly { readonly container: number; readonly host: number }[];
  /** Command, environment, files. */
  configure(container: GenericContainer): GenericContainer;
  /** True once it answers from outside; called again until then. */
  ready(): Promise<boolean>;
}

/** A container with its id, its log file and its life. */
export interface OwnContainer extends OwnInstance {
  readonly id: string;
  readonly logFiles: readonly string[];
}

/** Starts a container and returns when it answers. */
export async function startContainer(plan: ContainerPlan): Promise<OwnContainer> {
  const { GenericContainer, getContainerRuntimeClient, Wait } = await import('testcontainers');
  const folder = await mkdtemp(join(tmpdir(), 'rentfold-container-'));
  const logFile = join(folder, 'container.log');
  const prepared = plan.configure(new GenericContainer(plan.image))
    .withExposedPorts(...plan.ports)
    .withExtraHosts([{ host: HOST_INSIDE, ipAddress: 'host-gateway' }])
    .withWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(READY_MS);
  const started = await prepared.start();
  const id = started.getId();
  const { container: client } = await getContainerRuntimeClient();
  const container = client.getById(id);
  const write = createWriteStream(logFile, { flags: 'a' });
  const launched = async (): Promise<void> => {
    (await client.logs(container)).pipe(write, { end: false });
    await untilReady(plan);
  };
  const end = async (): Promise<void> => {
    await started.stop({ timeout: 0 });
    write.end();
    await removeData(folder, [logFile]);
  };
  await launched().catch(async (error: unknown) => {
    await end();
    throw error;
  });
  return {
    id,
    logFiles: [logFile],
    kill: async () => {
      const { State } = await container.inspect();
      if (State.Running) await container.kill({ signal: 'SIGKILL' });
      await container.wait();
    },
    restart: async () => {
      const { State } = await container.inspect();
      if (State.Running) await container.stop({ t: 20 });
      await container.start();
      await launched();
    },
    pause: () => void container.pause(),
    resume: () => void container.unpause(),
    logs: () => readFile(logFile, 'utf8'),
    [Symbol.asyncDispose]: end,
  };
}

/** Why containers cannot be had, or null when a Docker engine answers. */
export async function dockerMissing(): Promise<string | null> {
  try {
    const { getContainerRuntimeClient } = await import('testcontainers');
    await getContainerRuntimeClient();
    return null;
  } catch {
    return 'a Docker engine';
  }
}

async function untilReady(plan: ContainerPlan): Promise<void> {
  const deadline = performance.now() + READY_MS;
  while (!await plan.ready().catch(() => false)) {
    if (performance.now() > deadline) throw new Error(`${plan.image} was not ready within ${READY_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
