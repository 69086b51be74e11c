/** A change worker of an environment, whose publication is made before. */
import type { Stores } from '../../src/definitions/stores.js';
import type { ForebayEvent } from '../../src/events.js';
import { ChangesService } from '../../src/services/changes/changes.js';
import { setUpChanges } from '../../src/services/changes/setup.js';
import type { Environment } from './environment.js';

export interface ChangeWorkerOptions {
  /** Instead of the environment's own; e.g. through a proxy. */
  readonly databaseUrl?: string;
  readonly config?: Environment['config'];
  /** Hears its events. Default: the environment. */
  readonly onEvent?: (event: ForebayEvent) => void;
}

/** Started: what is committed from now on is seen. */
export async function startChangeWorker(
  { prisma, config, env, events }: Environment,
  stores: Stores,
  options: ChangeWorkerOptions = {},
): Promise<ChangesService> {
  const own = options.config ?? config;
  await setUpChanges({ stores, prisma, databaseUrl: env.DATABASE_URL, prefix: own.prefix });
  const worker = new ChangesService({
    stores,
    prisma,
    databaseUrl: options.databaseUrl ?? env.DATABASE_URL,
    config: own,
    emit: options.onEvent ?? ((event) => void events.push(event)),
  });
  await worker.start();
  return worker;
}
