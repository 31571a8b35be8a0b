import { inject } from 'vitest';
import { useLog } from './log-tails.ts';
import type { ServiceName } from './presence.ts';

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
  const response = await fetch(`${inject('rentfoldServices')}/${name}`, { method: 'POST' });
  const answer = await response.json() as SharedAnswer;
  if ('failed' in answer) throw new Error(answer.failed);
  if ('missing' in answer) {
    if (process.env.RENTFOLD_TEST_REQUIRE_SERVICES === 'true') throw new Error(answer.missing);
    return null;
  }
  for (const file of answer.place.logFiles) useLog(file);
  return answer.place as Place;
}

const printed = new Set<string>();

/** Says once what to install; throws instead where services are required. */
export function skipLine(missing: string): void {
  if (process.env.RENTFOLD_TEST_REQUIRE_SERVICES === 'true') throw new Error(missing);
  if (!printed.has(missing)) process.stdout.write(`skipped: ${missing}\n`);
  printed.add(missing);
}
