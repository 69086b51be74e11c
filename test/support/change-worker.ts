/** A change worker of an environment, whose publication is made before. */
import { expect } from 'vitest';
import type { Stores } from '../../src/definitions/stores.js';
import type { ForebayEvent } from '../../src/events.js';
import { changesKeys } from '../../src/keys.js';
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

/** Waits until a worker has told that it has dropped all that is committed by now. */
export async function toldUpToNow({ prisma, redis, config }: Environment): Promise<void> {
  const [{ lsn } = { lsn: '' }] = await prisma.$queryRawUnsafe<{ lsn: string }[]>(
    "SELECT (pg_current_wal_lsn() - '0/0')::text AS lsn",
  );
  const told = async () => BigInt((await redis.get(changesKeys(config.prefix).told))?.split(' ')[1] ?? 0);
  await expect.poll(async () => (await told()) >= BigInt(lsn)).toBe(true);
}
