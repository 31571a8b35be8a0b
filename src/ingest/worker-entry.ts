import { parentPort, workerData } from 'node:worker_threads';
import { createDecoder } from '../change/decode.ts';
import { giveWayToMainThread } from '../runtime/workers.ts';
import { hostIngest } from './host.ts';
import { createInlineIngest } from './inline.ts';
import { createRegistries, createSource } from './setup.ts';
import type { IngestSetup } from './worker.ts';

/** What runs in the ingest worker; `createWorkerIngest` starts it. */
if (parentPort === null) throw new Error('This file runs in a worker thread only.');
giveWayToMainThread();
const { source, registries = { confluent: null, azure: null } } = workerData as IngestSetup;
hostIngest(parentPort, createInlineIngest(createSource(source), createDecoder, createRegistries(registries)));
