import { JAR_FOLDERS, jars } from './artefacts.ts';

/** Fetches the jars of every service, so that a later test run needs no Maven: `node test/support/services/fetch-jars.ts`. */

for (const folder of JAR_FOLDERS) process.stdout.write(`${await jars(folder)}\n`);
