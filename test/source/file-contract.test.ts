/**
 * Goal: the file source keeps the source contract.
 * Method: the suite of all sources; a topic is one dump, changed as an operator would change it: appended to, cut at its head, made again.
 */
import { readFile } from 'node:fs/promises';
import { createFileSource } from '../../src/source/file.ts';
import { DumpFolder, dumpText, type TestRecord } from '../support/dump.ts';
import { describeSource } from './source-suite.ts';

describeSource('file', async () => {
  const folder = await DumpFolder.create();
  return {
    createSource: () => createFileSource({ folder: folder.path, pollMs: 50 }),
    append: async (records) => {
      for (const topic of new Set(records.map((r) => r.topic))) await folder.append(`${topic}.jsonl`, dumpText(records.filter((r) => r.topic === topic)));
    },
    truncateHead: async (topic, partition, before) => {
      const lines = (await readFile(folder.file(`${topic}.jsonl`), 'utf8')).split('\n').slice(0, -1);
      const kept = lines.filter((line) => {
        const record = JSON.parse(line) as TestRecord;
        return record.partition !== partition || record.offset >= before;
      });
      await folder.write(`${topic}.jsonl`, kept.map((line) => `${line}\n`).join(''));
    },
    forgetsEmptied: true,
    recreate: async (topic, records) => await folder.write(`${topic}.jsonl`, dumpText(records)),
    dispose: async () => await folder.dispose(),
  };
});
