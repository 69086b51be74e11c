/** Takes everything that is accepted to the database, where no worker of the test's own runs. */
import type { Config } from '../config.js';
import type { Database } from '../database/database.js';
import type { Stores } from '../definitions/stores.js';
import type { Emit } from '../events.js';

/** What a worker needs. */
export interface DrainOptions {
  /** The app's stores. */
  readonly stores: Stores;
  /** A Prisma client; it stays open. */
  readonly prisma: Database;
  /** The app's. Default: the environment, see `readConfig`. */
  readonly config?: Config;
  /** How long it may take, in ms. Default 30,000. */
  readonly timeoutMs?: number;
  /** Told of what the worker does. Default: nobody. */
  readonly onEvent?: Emit;
}

const stopDeadlineMs = 5_000;

/**
 * Runs a write-behind worker in this process until everything that the app has accepted is in the database.
 * An app in memory, or one with workers, needs none: `await app.flush()`.
 * @throws ForebayError FLUSH_TIMEOUT, REDIS_UNAVAILABLE, INVALID_CONFIG
 */
export async function drain(
  app: { flush(options?: { timeoutMs?: number }): Promise<void> },
  { stores, prisma, config, timeoutMs, onEvent = () => undefined }: DrainOptions,
): Promise<void> {
  // Workers load what an app in memory does without.
  const { WriteBehindService } = await import('../services/write-behind/write-behind.js');
  const { readConfig } = await import('../config.js');
  const worker = new WriteBehindService({ stores, prisma, config: config ?? readConfig(), emit: onEvent });
  await worker.start();
  try {
    await app.flush(timeoutMs === undefined ? {} : { timeoutMs });
  } finally {
    await worker.stop(stopDeadlineMs);
  }
}
