import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const POM = join(import.meta.dirname, 'pom.xml');
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
const JAVA_MIN = 17;

/** Folders of jars, by profile of pom.xml. */
export const JAR_FOLDERS = ['broker', 'connect', 'debezium-postgres', 'debezium-mariadb', 'registry', 'avro-converter'] as const;
/** One of them. */
export type JarFolder = typeof JAR_FOLDERS[number];

/** Folder with the jars of a profile: from the cache, else by Maven, which may take half a minute. The cache lies outside the repository and is named by the pom's hash. */
export async function jars(profile: JarFolder): Promise<string> {
  const folder = await cachedFolder(profile);
  if (existsSync(folder)) return folder;
  const cache = join(folder, '..');
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, `${profile}-`));
  try {
    await run('mvn', ['-q', '-B', '-f', POM, '-P', profile, COPY, '-DincludeScope=runtime', `-DoutputDirectory=${work}`]);
    await unpack(work);
    await rename(work, folder);
  } catch (error) {
    if (!existsSync(folder)) throw new Error(`Maven could not fetch the jars of ${profile}: ${said(error)}`, { cause: error });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
}

/** One line that says what to install for the jars of these profiles to run, or null when nothing is missing. */
export async function javaMissing(profiles: readonly JarFolder[]): Promise<string | null> {
  const version = await run('java', ['-version']).then(({ stderr }) => Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0), () => 0);
  const cached = (await Promise.all(profiles.map(cachedFolder))).every((folder) => existsSync(folder));
  const hasMaven = cached || await run('mvn', ['-version']).then(() => true, () => false);
  return version >= JAVA_MIN && hasMaven ? null : `Java ${JAVA_MIN}+ and Maven: apt-get install openjdk-17-jdk-headless maven`;
}

/** Unpacks what came packed, and keeps only what was in it. */
async function unpack(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).filter((file) => file.endsWith('.tar.gz'))) {
    await run('tar', ['-xzf', join(folder, name), '-C', folder]);
    await rm(join(folder, name));
  }
}

async function cachedFolder(profile: JarFolder): Promise<string> {
  const hash = createHash('sha256').update(await readFile(POM)).digest('hex').slice(0, 16);
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'rentfold-test', hash, profile);
}

function said(error: unknown): string {
  const { stdout, message } = error as { stdout?: string; message: string };
  return stdout === undefined || stdout === '' ? message : stdout;
}
