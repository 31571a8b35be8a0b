import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readBicep, type BicepDeclaration, type BicepFile } from './bicep.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** The folder of the Bicep files. */
export const AZURE_FOLDER = join(ROOT, 'config/azure');

/** A file of the project, by its path in it. */
export const projectText = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Every Bicep file, by its name. */
export const AZURE_FILES: ReadonlyMap<string, BicepFile> = new Map(readdirSync(AZURE_FOLDER).filter((name) => name.endsWith('.bicep')).sort()
  .map((name) => [name, readBicep(projectText(`config/azure/${name}`))]));

/** One of them. */
export function azureFile(name: string): BicepFile {
  return AZURE_FILES.get(name)!;
}

/** A resource with the file it is in and its type without the version. */
export interface AzureResource extends BicepDeclaration {
  readonly file: string;
  readonly type: string;
}

export const AZURE_RESOURCES: readonly AzureResource[] = [...AZURE_FILES].flatMap(([file, { resources }]) => resources.map((resource) => ({ file, type: resource.of.split('@')[0]!, ...resource })));
