// Waits for the address in the main job's log, asks it for every figure of the demo portfolio, and compares. Usage: known-figure.js LOG
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const deadline = Date.now() + 60_000;
const expected = JSON.parse(readFileSync(new URL('../test/fixtures/demo-expected.json', import.meta.url), 'utf8'));

async function until(what, attempt) {
  for (;;) {
    const found = await attempt().catch(() => null);
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`no ${what} within a minute; the log says:\n${readFileSync(process.argv[2], 'utf8')}`);
    await sleep(100);
  }
}

const url = await until('address', async () => /"url":"([^"]+)"/.exec(readFileSync(process.argv[2], 'utf8'))?.[1]);
await until('readiness', async () => (await fetch(`${url}/health/ready`)).ok);
const money = (text) => Number(text).toString();
for (const view of expected.views) {
  const query = new URLSearchParams({ as_of: view.as_of, ...(view.unit_id === null ? {} : { unit_id: view.unit_id }) });
  const answer = await (await fetch(`${url}/financial-performance/${view.property_id}?${query}`)).json();
  for (const [name, value] of Object.entries(view)) {
    if (!name.startsWith('ytd_') && !name.startsWith('cumulative_')) continue;
    if (String(answer[name]) !== money(value)) throw new Error(`${view.property_id} ${view.unit_id} ${view.as_of} ${name}: expected ${value}, got ${answer[name]}`);
  }
}
process.stdout.write(`${expected.views.length} views of the demo portfolio are right\n`);
