import { parentPort, workerData } from 'node:worker_threads';
import { hostIngest } from '../../src/ingest/host.ts';
import { createInlineIngest } from '../../src/ingest/inline.ts';
import { createSource, type SourceSetup } from '../../src/ingest/setup.ts';
import { createPassingDecoder, createScriptedSource, type Script } from './scripted-source.ts';

/** The ingest worker with sources that follow a script, and a decoder that understands nothing. */
const { source } = workerData as { source: SourceSetup | Script };
hostIngest(parentPort!, createInlineIngest(source.kind === 'scripted' ? createScriptedSource(source) : createSource(source), createPassingDecoder));
