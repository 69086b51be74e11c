/** SCAN over all keys, in pieces: of a server, or of all masters of a cluster. */
import { mastersOf, type Redis, type RedisClient } from './client.js';

const scanCount = 1_000;

/** Keys that match, in groups as they are found; some may come twice. */
export async function* scanKeys(
  redis: RedisClient,
  match: string,
): AsyncGenerator<string[], void, undefined> {
  for (const master of mastersOf(redis)) {
    const stream = master.scanStream({ match, count: scanCount }) as AsyncIterable<string[]>;
    for await (const keys of stream) if (keys.length > 0) yield keys;
  }
}

/** SCAN over all keys again and again, a step at a time. */
export class EndlessScan {
  readonly #redis: RedisClient;
  #master: Redis | undefined;
  #cursor = '0';

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** Looks at about `count` keys, and returns those of them that match: in one call to one server. */
  async next(match: string, count: number): Promise<string[]> {
    const masters = mastersOf(this.#redis);
    const at = masters.indexOf(this.#master as Redis);
    const isOver = this.#cursor === '0';
    const master = at >= 0 && !isOver ? masters[at] : masters[(at + 1) % masters.length];
    if (!master) return [];
    const [cursor, keys] = await master.scan(
      isOver || at < 0 ? '0' : this.#cursor,
      'MATCH',
      match,
      'COUNT',
      count,
    );
    this.#master = master;
    this.#cursor = cursor;
    return keys;
  }
}
