/**
 * Goal: a test that waits for the program goes on over a connection that breaks, and ends at once with the program's log when the program ends or the test itself is wrong.
 * Method: the real process, waited for by conditions that ask a server which cuts its connections.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RentfoldProcess } from '../support/process.ts';
import { answering, ScriptedHttp } from '../support/scripted-http.ts';
import { Workplace } from '../support/workplace.ts';

describe('waiting for the program', () => {
  let place: Workplace;
  let program: RentfoldProcess;
  beforeEach(async () => {
    place = await Workplace.create();
    program = place.start();
  });
  afterEach(async () => {
    await program[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  it('goes on over connections that are cut before and in the middle of an answer', async () => {
    let asked = 0;
    await using server = await ScriptedHttp.start((request, response) => {
      asked++;
      if (asked === 1) response.destroy();
      else if (asked === 2) response.writeHead(200, { 'content-length': '9' }).write('{', () => response.destroy());
      else answering(200, '{}')(request, response);
    });
    await program.until('has an answer', async () => (await (await fetch(server.url)).text()) === '{}');
    expect(asked).toBe(3);
  });

  it('ends with what the condition throws besides', async () => {
    const wrong = new Error('the test is wrong');
    await expect(program.until('is asked', () => Promise.reject(wrong))).rejects.toMatchObject({ message: expect.stringMatching(/could not be asked before it is asked/) as string, cause: wrong });
  });

  it('ends when the program has ended, whose connections are refused', async () => {
    await program.url();
    await program.kill('SIGKILL');
    await expect(program.until('answers', async () => (await program.get('/health/live')).status === 200)).rejects.toThrow(/rentfold ended .*before it answers/);
  });
});
