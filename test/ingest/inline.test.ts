/**
 * Goal: the ingest that runs in this thread is an ingest like any other, and its decoder begins with what was known before a restart.
 * Method: the suite of all ingests; a factory that looks at what it is given.
 */
import { expect, it } from 'vitest';
import { createInlineIngest } from '../../src/ingest/inline.ts';
import { createSource } from '../../src/ingest/setup.ts';
import { createPassingDecoder, createScriptedSource } from '../support/scripted-source.ts';
import { recordAt } from '../support/dump.ts';
import { positionAfter } from '../support/read-source.ts';
import { describeIngest, INGEST_OPTIONS } from './ingest-suite.ts';

describeIngest('inline', 1, (setup) => createInlineIngest(setup.kind === 'scripted' ? createScriptedSource(setup) : createSource(setup), createPassingDecoder));

it('gives the decoder its options, the positions and the tables seen before', async () => {
  const given: unknown[] = [];
  const ingest = createInlineIngest(createScriptedSource({ kind: 'scripted', batches: 0, recordsPerBatch: 1, then: 'wait', shared: new Int32Array(3) }), (options, memory) => {
    given.push(options, memory);
    return createPassingDecoder();
  });
  const positions = [positionAfter(recordAt('t', 0, 4))];
  await ingest.open({ ...INGEST_OPTIONS, positions, seenTables: { rents: 'rental.public' } });
  expect(given).toEqual([INGEST_OPTIONS.decode, { positions, seenTables: { rents: 'rental.public' } }]);
  await ingest.close();
});
