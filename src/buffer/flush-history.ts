/**
 * What workers have flushed in the last hour, minute by minute and lane by lane, for charts: a hash for each
 * minute, which ends by itself. Of 40 busy lanes it is about 600 kB, and a call for each worker every five
 * seconds.
 */
import type { RedisClient } from '../connection/redis.js';
import { historyKey } from '../keys.js';

/** Sums of a lane's batches. */
export interface Flushes {
  readonly rows: number;
  readonly batches: number;
  /** From the seal to the acknowledgement, in ms. */
  readonly ms: number;
}

export interface HistoryMinute {
  /** When it began. */
  readonly at: Date;
  readonly lanes: ReadonlyMap<string, Flushes>;
}

export const historyMinutes = 60;
const minuteMs = 60_000;
const keptMs = (historyMinutes + 5) * minuteMs;
/** Workers add to a minute for some seconds after its end. */
const openMinutes = 2;

/** @throws what Redis throws; some of it may be added then */
export async function addFlushes(
  redis: RedisClient,
  prefix: string,
  lanes: ReadonlyMap<string, Flushes>,
): Promise<void> {
  const key = historyKey(prefix, minuteOf(Date.now()));
  const adds = [...lanes].flatMap(([lane, { rows, batches, ms }]) => [
    redis.hincrby(key, `${lane} rows`, rows),
    redis.hincrby(key, `${lane} batches`, batches),
    redis.hincrby(key, `${lane} ms`, Math.round(ms)),
  ]);
  await Promise.all([...adds, redis.pexpire(key, keptMs)]);
}

/** Reads the last hour; what a minute that is over has had is not read again. */
export class FlushHistory {
  readonly #redis: RedisClient;
  readonly #prefix: string;
  readonly #known = new Map<number, HistoryMinute>();

  constructor(redis: RedisClient, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /** The oldest first; the last is under way. @throws what Redis throws */
  async read(): Promise<HistoryMinute[]> {
    const now = minuteOf(Date.now());
    const minutes = Array.from({ length: historyMinutes }, (_, i) => now - historyMinutes + 1 + i);
    const read = await Promise.all(
      minutes.map(async (minute) => this.#known.get(minute) ?? this.#read(minute)),
    );
    for (const minute of this.#known.keys()) if (minute < (minutes[0] as number)) this.#known.delete(minute);
    for (const [i, minute] of minutes.entries())
      if (minute <= now - openMinutes) this.#known.set(minute, read[i] as HistoryMinute);
    return read;
  }

  async #read(minute: number): Promise<HistoryMinute> {
    const fields = Object.entries(await this.#redis.hgetall(historyKey(this.#prefix, minute)));
    const lanes = new Map<string, Flushes>();
    for (const [field, text] of fields) {
      const [lane, what] = field.split(' ') as [string, keyof Flushes];
      lanes.set(lane, { rows: 0, batches: 0, ms: 0, ...lanes.get(lane), [what]: Number(text) });
    }
    return { at: new Date(minute * minuteMs), lanes };
  }
}

function minuteOf(ms: number): number {
  return Math.floor(ms / minuteMs);
}
