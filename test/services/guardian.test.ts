/**
 * Goal: nothing outlives the run that started it, however it ends.
 * Method: a process that starts a server under a guardian is killed with -9; the server and its data are gone.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePorts } from '../support/services/free-ports.ts';
import { GuardedProcess } from '../support/services/guarded-process.ts';

const MODULE = new URL('../support/services/guarded-process.ts', import.meta.url).href;

/** A server that says so when it listens. */
function serverScript(port: number): string {
  return `require('node:net').createServer(() => {}).listen(${port}, '127.0.0.1', () => console.log('listens'))`;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    return await once(socket, 'connect').then(() => true, () => false);
  } finally {
    socket.destroy();
  }
}

/** Removed when the test ends. */
async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rentfold-guardian-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function guarded(folder: string, port: number): Promise<GuardedProcess> {
  return GuardedProcess.start({
    name: 'a server', command: [process.execPath, '-e', serverScript(port)], folder, logFile: join(folder, 'server.log'), ready: (log) => log.includes('listens'),
  });
}

describe('a guarded process', () => {
  it('ends with the process that started it, and its data with it', async () => {
    const [port] = await freePorts(1) as [number];
    const folder = await newFolder();
    const script = join(await newFolder(), 'starter.ts');
    await writeFile(script, `
      import { GuardedProcess } from ${JSON.stringify(MODULE)};
      const server = await GuardedProcess.start({ name: 'a server', command: [process.execPath, '-e', ${JSON.stringify(serverScript(port))}], folder: ${JSON.stringify(folder)}, logFile: ${JSON.stringify(join(folder, 'log'))}, ready: (log) => log.includes('listens') });
      console.log(server.pid);
    `);
    const starter = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(createInterface(starter.stdout), 'line') as [string];
    const guardian = Number(line);
    expect(isAlive(guardian)).toBe(true);
    expect(await answers(port)).toBe(true);
    starter.kill('SIGKILL');
    await expect.poll(() => answers(port), { timeout: 10_000 }).toBe(false);
    await expect.poll(() => isAlive(guardian), { timeout: 10_000 }).toBe(false);
    await expect.poll(() => existsSync(folder), { timeout: 10_000 }).toBe(false);
  });

  it('is killed, paused, and started again on the same port', async () => {
    const [port] = await freePorts(1) as [number];
    const folder = await newFolder();
    await using server = await guarded(folder, port);
    await server.kill();
    expect(await answers(port)).toBe(false);
    expect(existsSync(folder)).toBe(true);
    await server.restart();
    expect(await answers(port)).toBe(true);
    server.pause();
    await server.kill();
    expect(await answers(port)).toBe(false);
  });

  it('that ends before it is ready fails with its last words', async () => {
    const folder = await newFolder();
    await expect(GuardedProcess.start({
      name: 'a server', command: [process.execPath, '-e', 'console.log("no licence"); process.exit(3)'], folder, logFile: join(folder, 'server.log'), ready: () => false,
    })).rejects.toThrow(/a server ended \(code 3\) before it was ready\.\n[^]*no licence/);
  });
});
