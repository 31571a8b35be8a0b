/**
 * Load for `read.ts`, in a process of its own: `node read-load.ts <origin> <connections> <seconds> <requests per second, 0 for as many as go> <ids> [start of ids]`.
 * At a fixed rate it is an open loop: a request that is due waits for a free connection, and the wait counts. What is sent in a first second does not count: it
 * warms up this process, whose own first steps would else be measured as waiting. Prints one JSON line.
 */
import { connect, type Socket } from 'node:net';

const [origin, connections, seconds, rate, ids, prefix = '00000000-0000-4000-8000'] = process.argv.slice(2);
const { hostname, port } = new URL(origin);
const WARM_MS = 1_000;
const requestsPerMs = Number(rate) / 1_000;
const latencies: number[] = [];
const waiting: number[] = [];
const free: Socket[] = [];
let failures = 0;
let next = 0;

const begin = performance.now();
const counted = begin + WARM_MS;
const end = counted + Number(seconds) * 1_000;

function idOf(number: number): string {
  return `${prefix}-${(number % Number(ids)).toString(16).padStart(12, '0')}`;
}

function send(socket: Socket, dueMs: number): void {
  next = (next * 1_103_515_245 + 12_345) & 0x7fffffff;
  socket.write(`GET /financial-performance/${idOf(next >> 4)} HTTP/1.1\r\nHost: bench\r\n\r\n`);
  let head = '';
  let missing = -1;
  const receive = (chunk: Buffer): void => {
    if (missing < 0) {
      head += chunk.toString('latin1');
      const body = head.indexOf('\r\n\r\n');
      if (body < 0) return;
      if (!head.startsWith('HTTP/1.1 200')) failures++;
      missing = Number(/content-length: (\d+)/i.exec(head)![1]) - (head.length - body - 4);
    } else missing -= chunk.length;
    if (missing > 0) return;
    socket.off('data', receive);
    if (dueMs >= counted) latencies.push(performance.now() - dueMs);
    if (Number(rate) === 0 && performance.now() < end) send(socket, performance.now());
    else if (waiting.length > 0) send(socket, waiting.shift()!);
    else free.push(socket);
  };
  socket.on('data', receive);
}

function tick(sent: number): void {
  const now = performance.now();
  const due = Math.floor((Math.min(now, end) - begin) * requestsPerMs);
  for (; sent < due; sent++) {
    const socket = free.shift();
    if (socket === undefined) waiting.push(now);
    else send(socket, now);
  }
  if (now < end) setTimeout(tick, 1, sent);
  else finishWhenIdle();
}

function finishWhenIdle(): void {
  if (free.length < Number(connections)) {
    setTimeout(finishWhenIdle, 5);
    return;
  }
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => Number(latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))].toFixed(3));
  console.log(JSON.stringify({
    requests: latencies.length, requests_per_second: Math.round(latencies.length / Number(seconds)), failures,
    p50_ms: at(0.5), p90_ms: at(0.9), p99_ms: at(0.99), max_ms: at(1),
  }));
  process.exit(0);
}

let connected = 0;
for (let i = 0; i < Number(connections); i++) {
  const socket = connect({ host: hostname, port: Number(port), noDelay: true }, () => {
    free.push(socket);
    if (++connected < Number(connections)) return;
    if (Number(rate) > 0) tick(0);
    else {
      for (const ready of free.splice(0)) send(ready, performance.now());
      setTimeout(finishWhenIdle, end - performance.now());
    }
  });
  socket.on('error', (error) => { throw error; });
  socket.on('close', () => { throw new Error('a connection was closed by the server'); });
}
