/**
 * Goal: every event is one line of the log, whatever text from outside its message repeats.
 * Method: a process of its own logs to its standard output, in both forms.
 */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const LOG = new URL('../../src/runtime/log.ts', import.meta.url).href;
const MESSAGE = 'stopped: a\n[00:00:00] INFO: forged\r\u001b[31m\u2028\u202e ü';

function logged(format: 'text' | 'json', level = 'info'): string[] {
  const program = `import { createLog } from '${LOG}';
    const log = createLog({ level: '${level}', format: '${format}', isTerminal: false, hasColours: false, to: 1 });
    log.info({ topic: 'b\\nc' }, ${JSON.stringify(MESSAGE)});
    log.debug('quiet');`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }).split('\n').slice(0, -1);
}

describe('the log', () => {
  it('for people keeps a message on its line', () => {
    const lines = logged('text');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\[[\d:.]+\] INFO: stopped: a\\u000a\[00:00:00\] INFO: forged\\u000d\\u001b\[31m\\u2028\\u202e ü \{"topic":"b\\nc"\}$/);
  });

  it('for machines has the message as it is, with time and level, and what the level asks for', () => {
    const lines = logged('json');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([{ level: 'info', time: expect.stringMatching(/Z$/) as string, topic: 'b\nc', msg: MESSAGE }]);
    expect(logged('json', 'debug')).toHaveLength(2);
    expect(logged('json', 'warn')).toHaveLength(0);
  });
});
