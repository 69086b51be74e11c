/** All that Redis has of a lane, in one look. */
import type { Redis } from 'ioredis';
import type { Lane } from '../src/buffer/lane.js';
import { fieldOf, letterKey } from '../src/keys.js';

type Hash = Readonly<Record<string, string>>;
type Scores = ReadonlyMap<string, number>;

export interface Snapshot {
  readonly meta: Hash;
  readonly dirty: Hash;
  readonly sealed: Hash;
  readonly waiting: Hash;
  readonly order: Scores;
  readonly retries: Scores;
  readonly dead: Scores;
  /** By id. */
  readonly letters: ReadonlyMap<string, Hash>;
  /** By field. */
  readonly entries: ReadonlyMap<string, string | null>;
}

export const rowField = (id: string): string => fieldOf('projects', id);
export const counterField = (id: string): string => fieldOf('touches', id);

/** @param ids those of the lane */
export async function takeSnapshot(redis: Redis, { keys }: Lane, ids: readonly string[]): Promise<Snapshot> {
  const fields = ids.flatMap((id) => [rowField(id), counterField(id)]);
  const look = redis.pipeline();
  for (const key of [keys.meta, keys.dirty, keys.sealed, keys.waiting]) look.hgetall(key);
  for (const key of [keys.order, keys.retries, keys.dead]) look.zrange(key, '0', '-1', 'WITHSCORES');
  for (const id of ids) look.hgetall(letterKey(keys, rowField(id)));
  for (const field of fields) look.get(keys.entryPrefix + field);
  const replies = ((await look.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
  const [meta, dirty, sealed, waiting] = replies as Hash[];
  const [order, retries, dead] = (replies.slice(4, 7) as string[][]).map(toScores);
  const letters = new Map(ids.map((id, i) => [id, replies[7 + i] as Hash]));
  const entries = new Map(fields.map((field, i) => [field, replies[7 + ids.length + i] as string | null]));
  return { meta, dirty, sealed, waiting, order, retries, dead, letters, entries } as Snapshot;
}

function toScores(list: readonly string[]): Scores {
  const fields = list.filter((_, i) => i % 2 === 0);
  return new Map(fields.map((field, i) => [field, Number(list[2 * i + 1])]));
}
