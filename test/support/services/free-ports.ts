import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the range from which the system takes ports for outgoing connections, so that a killed service finds its port free again. */
const FIRST = 20_000;
const LAST = 32_000;
const TRIES = 1000;
const given = new Set<number>();

/** Ports on loopback that nobody listens on, none given twice by this process. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries++) {
    if (tries > TRIES) throw new Error(`no ${count} free ports between ${FIRST} and ${LAST}`);
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (given.has(port) || !await isFree(port)) continue;
    given.add(port);
    ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  const free = await once(server, 'listening').then(() => true, () => false);
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}
