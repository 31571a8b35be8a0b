import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { TestProject } from 'vitest/node';
import { startLocalAzurite } from './azurite.ts';
import { startLocalKafka } from './kafka.ts';
import { missingLine } from './presence.ts';
import type { ServiceName } from './presence.ts';
import type { SharedAnswer } from './shared.ts';

/**
 * The control server of a test run, in vitest's main process: its workers ask it for services by name. It starts each once, when first asked,
 * answers when it is ready, and ends all when the run ends.
 */

type Shared = { readonly logFiles: readonly string[] } & AsyncDisposable;

const START: Readonly<Record<ServiceName, () => Promise<Shared>>> = {
  kafka: () => startLocalKafka(),
  azurite: () => startLocalAzurite({ inMemory: true }),
};

/** Opens the control server, tells the workers where it is, and answers what ends everything. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = new Map<string, Promise<SharedAnswer>>();
  const running: AsyncDisposable[] = [];
  const answer = (name: ServiceName): Promise<SharedAnswer> => {
    const before = started.get(name);
    if (before !== undefined) return before;
    const now = startShared(name, running);
    started.set(name, now);
    return now;
  };
  const server = createServer((request, response) => {
    const name = (request.url ?? '').slice(1);
    if (!(name in START)) return void response.writeHead(404).end();
    void answer(name as ServiceName).then((body) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body)));
  });
  server.requestTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  project.provide('rentfoldServices', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.close();
    server.closeAllConnections();
    await Promise.all(started.values());
    await Promise.all(running.map((service) => service[Symbol.asyncDispose]()));
  };
}

async function startShared(name: ServiceName, running: AsyncDisposable[]): Promise<SharedAnswer> {
  const missing = await missingLine(name);
  if (missing !== null) {
    process.stdout.write(`skipped: ${missing}\n`);
    return { missing };
  }
  try {
    const service = await START[name]();
    running.push(service);
    return { place: service };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}
