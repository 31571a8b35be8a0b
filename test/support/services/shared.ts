import { inject } from 'vitest';
import { useLog } from './log-tails.ts';
import type { ServiceName, Way } from './presence.ts';

/** What the run's control server answers: where the service is, why it cannot be had, or why it did not start. */
export type SharedAnswer = { readonly place: { readonly logFiles: readonly string[] } } | { readonly missing: string } | { readonly failed: string };

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the run's control server. */
    rentfoldServices: string;
  }
}

/** Asks the run's control server for a service: where it is, or null (after a printed line) when it cannot be had. */
export async function askShared<Place>(name: ServiceName): Promise<Place | null> {
  const answer = await ask(name, 'POST') as SharedAnswer;
  if ('failed' in answer) throw new Error(answer.failed);
  if ('missing' in answer) return unlessRequired(answer.missing, null);
  for (const file of answer.place.logFiles) useLog(file);
  return answer.place as Place;
}

/** Asks only whether a service can be had; the line that says what to install is printed when not. */
export async function askPresence(name: ServiceName): Promise<boolean> {
  const way = await ask(name, 'GET') as Way;
  return 'missing' in way ? unlessRequired(way.missing, false) : true;
}

async function ask(name: ServiceName, method: string): Promise<unknown> {
  return (await fetch(`${inject('rentfoldServices')}/${name}`, { method })).json();
}

/** A missing part is an error where services are required. */
function unlessRequired<Answer>(missing: string, answer: Answer): Answer {
  if (process.env.RENTFOLD_TEST_REQUIRE_SERVICES === 'true') throw new Error(missing);
  return answer;
}
