/**
 * Goal: what the source says when it is opened reaches the operator, and what the source is asked for follows the options.
 * Method: `serve` in this process over an ingest of the test's own.
 */
import { expect, it } from 'vitest';
import { createMemoryPlace } from '../support/memory-store.ts';
import { ServeRun } from '../support/serve-run.ts';

it('what could not be compared is a warning in log and status, and no reason not to be ready', async () => {
  const run = new ServeRun(createMemoryPlace());
  const note = 'the record of rents/0 that was applied last could not be compared';
  run.ingest.opening = () => Promise.resolve({ bounds: [], gaps: [], notes: [note], identity: 'scripted' });
  run.start();
  await run.ready();
  expect(run.lines.filter((line) => line.code === 'RECORD_UNVERIFIED').map((line) => line.msg)).toEqual([note]);
  expect(await run.status()).toMatchObject({ warnings: [{ code: 'RECORD_UNVERIFIED', count: 1, message: note }] });
});

it('a batch is never larger than the records a checkpoint is asked for after', async () => {
  const run = new ServeRun(createMemoryPlace());
  run.start({ RENTFOLD_CHECKPOINT_CHANGES: '7', RENTFOLD_BATCH_RECORDS: '100', RENTFOLD_BATCHES_IN_FLIGHT: '3', RENTFOLD_ACCEPT_INCOMPLETE_HISTORY: 'true' });
  await run.ready();
  expect(run.ingest.openedWith).toMatchObject([{ recordsMax: 7, creditsMax: 3, acceptIncompleteHistory: true, positions: [] }]);
});

it.each([
  [{ RENTFOLD_SOURCE: 'kafka', RENTFOLD_KAFKA_BROKERS: 'a:9092', RENTFOLD_KAFKA_TOPICS: 'rents' }, /^topic rents does not exist .* check RENTFOLD_KAFKA_TOPICS$/],
  [{ RENTFOLD_SOURCE: 'event-hubs', RENTFOLD_EVENT_HUBS_NAMES: 'rents', RENTFOLD_EVENT_HUBS_CONNECTION_STRING: 'Endpoint=sb://a.b/;SharedAccessKeyName=k;SharedAccessKey=a2V5' }, /^hub rents does not exist .* check RENTFOLD_EVENT_HUBS_NAMES$/],
])('what is waited for is a warning that names the option of the source: %o', async (settings, words) => {
  const run = new ServeRun(createMemoryPlace());
  run.ingest.opening = () => Promise.resolve({ bounds: [], gaps: [], notes: [], waiting: ['rents'], identity: 'scripted' });
  run.start(settings);
  await run.ready();
  expect(await run.status()).toMatchObject({ warnings: [{ code: 'TOPIC_MISSING', message: expect.stringMatching(words) as string }] });
});
