/** What a process's connections to Redis went through. Costs an addition for each command. */
import { commandsOf, type RedisClient } from './client.js';

/** What a client's connections to Redis went through. */
export interface RedisMetrics {
  /** That are up. */
  readonly connections: number;
  /** How often one was up again after it was lost. */
  readonly reconnects: number;
  /** Of connections: refused, broken, not let in. */
  readonly errors: number;
  /** That were given to ioredis. */
  readonly commands: number;
  /** For how long all connections have been up without a break, in ms; 0 while one is not. */
  readonly uptimeMs: number;
}

export class ConnectionMetrics {
  readonly #clients: RedisClient[] = [];
  #reconnects = 0;
  #errors = 0;
  #allUpSince: number | undefined;

  /** Counts what becomes of a client, which is not connected yet. */
  watch(redis: RedisClient): void {
    this.#clients.push(redis);
    let isFirst = true;
    redis.on('ready', () => {
      if (!isFirst) this.#reconnects += 1;
      isFirst = false;
      if (this.#clients.every(isUp)) this.#allUpSince ??= performance.now();
    });
    redis.on('close', () => {
      this.#allUpSince = undefined;
    });
    for (const event of ['error', 'node error']) {
      redis.on(event, () => {
        this.#errors += 1;
      });
    }
  }

  getRedisMetrics(): RedisMetrics {
    return {
      connections: this.#clients.filter(isUp).length,
      reconnects: this.#reconnects,
      errors: this.#errors,
      commands: this.#clients.reduce((sum, redis) => sum + commandsOf(redis), 0),
      uptimeMs: this.#allUpSince === undefined ? 0 : performance.now() - this.#allUpSince,
    };
  }
}

function isUp(redis: RedisClient): boolean {
  return redis.status === 'ready';
}
