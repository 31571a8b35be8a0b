import { createRequire } from 'node:module';
import { javaMissing } from './artefacts.ts';

/** Services that tests may ask for. */
export type ServiceName = 'kafka' | 'azurite';

/** One line that says why a service cannot be had here and what to install, or null when it can. */
export async function missingLine(name: ServiceName): Promise<string | null> {
  const missing = await LOOK[name]();
  return missing === null ? null : `${TITLES[name]} needs ${missing}`;
}

const TITLES: Readonly<Record<ServiceName, string>> = { kafka: 'Kafka', azurite: 'Azurite' };
const LOOK: Readonly<Record<ServiceName, () => Promise<string | null>>> = {
  kafka: () => javaMissing(['broker']),
  azurite: () => Promise.resolve(hasPackage('azurite/dist/src/blob/main.js') ? null : 'its npm package: npm ci'),
};

function hasPackage(module: string): boolean {
  try {
    createRequire(import.meta.url).resolve(module);
    return true;
  } catch {
    return false;
  }
}
