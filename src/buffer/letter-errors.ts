/** What the dead letters of a lane say, without their records: there may be thousands. */
import type { RedisClient } from '../connection/redis.js';
import { letterKey } from '../keys.js';
import type { LanePlace } from './lane.js';
import type { LetterError, LetterName } from './step-replies.js';

export interface SaidOfLetter extends LetterName {
  readonly error: LetterError;
}

/** A page of them, oldest first. @throws what Redis throws */
export async function readLetterErrors(
  redis: RedisClient,
  { keys }: LanePlace,
  { offset, count }: { offset: number; count: number },
): Promise<SaidOfLetter[]> {
  const end = String(offset + count - 1);
  const pairs = await redis.zrange(keys.dead, String(offset), end, 'WITHSCORES');
  const names = pairs.flatMap((field, i): LetterName[] =>
    i % 2 === 0 ? [{ field, at: String(pairs[i + 1]) }] : [],
  );
  const errors = await Promise.all(names.map(({ field }) => redis.hget(letterKey(keys, field), '')));
  return names.flatMap((name, i) => {
    const error = errors[i];
    return error ? [{ ...name, error: JSON.parse(error) as LetterError }] : [];
  });
}
