/** What is done with dead letters: a part of the write buffer. Each call is on one lane. */
import type { RedisClient } from '../connection/redis.js';
import { letterKey } from '../keys.js';
import type { LetterLane } from './lane.js';
import type { ScriptCommands } from './scripts.js';
import type { DeadLetter, LetterError, LetterName } from './step-replies.js';

export class LetterSteps {
  readonly #redis: RedisClient & ScriptCommands;

  constructor(redis: RedisClient & ScriptCommands) {
    this.#redis = redis;
  }

  /** The lane's dead letters, oldest first. */
  async list(lane: LetterLane, options: { offset: number; count: number }): Promise<DeadLetter[]> {
    const { offset, count } = options;
    const fields = await this.#redis.zrange(lane.keys.dead, String(offset), String(offset + count - 1));
    const letters = await Promise.all(fields.map((field) => this.get(lane, field)));
    return letters.filter((letter) => letter !== undefined);
  }

  /** The dead letter of a field; undefined when it was replayed, superseded or discarded. */
  async get(lane: LetterLane, field: string): Promise<DeadLetter | undefined> {
    const at = await this.#redis.zscore(lane.keys.dead, field);
    if (at === null) return undefined;
    const {
      '': reason,
      since = '0',
      anchor: _,
      ...records
    } = await this.#redis.hgetall(letterKey(lane.keys, field));
    if (reason === undefined) return undefined;
    const error = JSON.parse(reason) as LetterError;
    return { lane: lane.name, field, at: String(at), since, records, error };
  }

  /** Makes a dead letter's records dirty again. `wake` tells the caller to add a wake-up job for the lane. */
  async replay(lane: LetterLane, { field, at }: LetterName): Promise<'gone' | 'replayed' | 'wake'> {
    const { meta, order, dirty, dead, waiting, retries, entryPrefix } = lane.keys;
    const { minDelayMs } = lane.group;
    const letter = letterKey(lane.keys, field);
    const reply = await this.#redis.forebay_replay(
      meta,
      order,
      dirty,
      dead,
      waiting,
      retries,
      letter,
      field,
      at,
      entryPrefix,
      minDelayMs,
    );
    return (['gone', 'replayed', 'wake'] as const)[reply] ?? 'gone';
  }

  /** Drops a dead letter for good. False: it is gone already. */
  async discard(lane: LetterLane, { field, at }: LetterName): Promise<boolean> {
    const { meta, dead } = lane.keys;
    const letter = letterKey(lane.keys, field);
    return (await this.#redis.forebay_discard(meta, dead, letter, field, at)) === 1;
  }
}
