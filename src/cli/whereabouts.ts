/** Looks for a record or a value, with what the environment gives: definitions, database. */

import { createPlainAdapter } from '../connection/postgres.js';
import type { RedisClient } from '../connection/redis.js';
import { openSession } from '../database/session.js';
import type { Stores } from '../definitions/stores.js';
import { type Whereabouts, whereIs } from '../operations/where.js';
import type { Call, Io } from './command.js';
import { storesOf } from './load-stores.js';
import { withConnections } from './with-connections.js';

export interface Look {
  readonly found: Whereabouts;
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly stores: Stores | undefined;
}

const databaseAnswerMs = 5_000;

/** @throws UsageError, ForebayError INVALID_ID, INVALID_KEY, REDIS_UNAVAILABLE; what `use` throws */
export async function lookFor<T>(
  what: string,
  call: Call,
  io: Io,
  use: (look: Look) => Promise<T>,
): Promise<T> {
  const config = io.config();
  const { prefix, redis: settings, databaseUrl } = config;
  const stores = await storesOf(call, config);
  return withConnections({ redis: [settings, 'reads'] }, async ({ redis }, resources) => {
    const database =
      databaseUrl === undefined
        ? undefined
        : await openSession(createPlainAdapter(databaseUrl, 'forebay-where', databaseAnswerMs));
    if (database) resources.own('database', database, (it) => it.$disconnect());
    const found = await whereIs(what, { redis, prefix, stores, database });
    return use({ found, redis, prefix, stores });
  });
}
