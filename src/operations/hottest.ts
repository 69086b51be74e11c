/** What is read most of the stores that count it. */
import type { RedisClient } from '../connection/redis.js';
import type { Stores } from '../definitions/stores.js';
import { hottestKeys } from '../keys.js';

export interface HottestOfStore {
  readonly store: string;
  /** The hottest first. `share`: of these keys' reads, from 0 to 1; older reads count less. */
  readonly keys: readonly { readonly id: string; readonly share: number }[];
}

/** Of the stores whose hottest values are warmed: only those count reads. @throws what Redis throws */
export async function readHottest(
  redis: RedisClient,
  prefix: string,
  { stores, max }: { stores: Stores; max: number },
): Promise<HottestOfStore[]> {
  const counting = [...stores.computed.values()].filter(({ warm }) => warm?.list === 'hottest');
  return Promise.all(
    counting.map(async ({ name }) => {
      const { reads } = hottestKeys(prefix, name);
      const pairs = await redis.zrevrange(reads, '0', String(max - 1), 'WITHSCORES');
      return { store: name, keys: sharesOf(pairs) };
    }),
  );
}

function sharesOf(pairs: readonly string[]): HottestOfStore['keys'] {
  const counts = pairs.flatMap((id, i) => (i % 2 === 0 ? [{ id, count: Number(pairs[i + 1]) }] : []));
  const sum = counts.reduce((total, { count }) => total + count, 0);
  return counts.map(({ id, count }) => ({ id, share: sum === 0 ? 0 : count / sum }));
}
