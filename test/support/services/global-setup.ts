import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { TestProject } from 'vitest/node';
import { wayTo } from './presence.ts';
import type { ServiceName, Way } from './presence.ts';
import type { KafkaPlace } from './service.ts';
import type { SharedAnswer } from './shared.ts';
import { startAzurite, startConnect, startKafka, startMariadb, startPostgres, startRegistry } from './start.ts';

/**
 * The control server of a test run, in vitest's main process: its workers ask it for services by name (POST). It starts each once, when first asked,
 * answers when it is ready, and ends all when the run ends. GET asks only whether the service can be had.
 */

type Shared = { readonly logFiles: readonly string[] } & AsyncDisposable;

const NAMES: readonly ServiceName[] = ['kafka', 'azurite', 'postgres', 'mariadb', 'connect', 'registry'];

class SharedServices {
  readonly #answers = new Map<ServiceName, Promise<SharedAnswer>>();
  readonly #running: Shared[] = [];
  readonly #said = new Set<string>();

  /** Where a service is; started by the first who asks. */
  ask(name: ServiceName): Promise<SharedAnswer> {
    const answer = this.#answers.get(name) ?? this.#answer(name);
    this.#answers.set(name, answer);
    return answer;
  }

  /** How a service would be started, without starting it; says once what to install when it cannot be. */
  async way(name: ServiceName): Promise<Way> {
    const way = await wayTo(name);
    if ('missing' in way && !this.#said.has(way.missing)) {
      this.#said.add(way.missing);
      process.stdout.write(`skipped: ${way.missing}\n`);
    }
    return way;
  }

  /** Ends all, last started first. */
  async end(): Promise<void> {
    await Promise.all(this.#answers.values());
    for (const service of this.#running.toReversed()) await service[Symbol.asyncDispose]();
  }

  async #answer(name: ServiceName): Promise<SharedAnswer> {
    try {
      const way = await this.way(name);
      if ('missing' in way) return way;
      const service = await this.#start(name);
      this.#running.push(service);
      return { place: service };
    } catch (error) {
      return { failed: error instanceof Error ? error.message : String(error) };
    }
  }

  #start(name: ServiceName): Promise<Shared> {
    switch (name) {
      case 'kafka': return startKafka();
      case 'azurite': return startAzurite({ inMemory: true });
      case 'postgres': return startPostgres();
      case 'mariadb': return startMariadb();
      case 'connect': return this.#startConnect();
      case 'registry': return startRegistry();
    }
  }

  async #startConnect(): Promise<Shared> {
    const broker = await this.ask('kafka');
    if (!('place' in broker)) throw new Error('failed' in broker ? broker.failed : broker.missing);
    return startConnect({ bootstrap: (broker.place as KafkaPlace).seenFromConnect });
  }
}

/** Opens the control server, tells the workers where it is, and answers what ends everything. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const services = new SharedServices();
  const server = createServer((request, response) => {
    const name = NAMES.find((known) => request.url === `/${known}`);
    if (name === undefined) return void response.writeHead(404).end();
    const asked: Promise<SharedAnswer | Way> = request.method === 'POST' ? services.ask(name) : services.way(name);
    void asked.then((answer) => response.setHeader('content-type', 'application/json').end(JSON.stringify(answer)));
  });
  server.requestTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  project.provide('rentfoldServices', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.close();
    server.closeAllConnections();
    await services.end();
  };
}
