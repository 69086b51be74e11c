/** Postgres and Redis for the tests that need them: given ones, or the project's own. */
import type { TestProject } from 'vitest/node';
import { acquireServices } from '../../dev/services/acquire.js';

declare module 'vitest' {
  export interface ProvidedContext {
    databaseUrl: string;
    redisUrl: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const services = await acquireServices({ say: (line) => process.stderr.write(`${line}\n`) });
  project.provide('databaseUrl', services.databaseUrl);
  project.provide('redisUrl', services.redisUrl);
  return () => services.release();
}
