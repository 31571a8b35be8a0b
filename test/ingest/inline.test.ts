/**
 * Goal: the ingest that runs in this thread is an ingest like any other.
 * Method: the suite of all ingests.
 */
import { createInlineIngest } from '../../src/ingest/inline.ts';
import { createSource } from '../../src/ingest/setup.ts';
import { createPassingDecoder, createScriptedSource } from '../support/scripted-source.ts';
import { describeIngest } from './ingest-suite.ts';

describeIngest('inline', 1, (setup) => createInlineIngest(setup.kind === 'scripted' ? createScriptedSource(setup) : createSource(setup), createPassingDecoder));
