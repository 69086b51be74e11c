/** The true Redis of a simulation: under a clock that the scheduler sets, and back at an earlier moment on demand. */
import type { Redis } from 'ioredis';
import type { Actor } from './actor.js';

const clockKey = 'simulate:clock';
const historyKey = 'simulate:history';

export interface Slot {
  /** Whoever is in this place now; a crashed one never comes back. */
  actor: Actor;
}

export type Told = (actor: string, call: string, reply: unknown) => void;

export class RedisUnderTest {
  readonly redis: Redis;
  #nowUs = 0;
  #history = 0;
  #kept: readonly [key: string, content: Buffer][] = [];

  constructor(redis: Redis) {
    this.redis = redis;
  }

  get nowUs(): number {
    return this.#nowUs;
  }

  async begin(): Promise<void> {
    await this.redis.flushall();
    this.#kept = [];
    await this.#newHistory(1);
    await this.passTo(1_700_000_000_000_000);
  }

  async passTo(us: number): Promise<void> {
    this.#nowUs = us;
    await this.redis.set(clockKey, `${us}`);
  }

  async keep(): Promise<void> {
    const keys = (await this.redis.keys('{*')).sort();
    this.#kept = await Promise.all(
      keys.map(async (key) => [key, (await this.redis.dumpBuffer(key)) as Buffer] as const),
    ).then((all) => all.map(([key, content]) => [key, content]));
  }

  /** As a server that was started from an older file. */
  async goBack(): Promise<void> {
    const keys = await this.redis.keys('{*');
    if (keys.length > 0) await this.redis.unlink(...keys);
    for (const [key, content] of this.#kept) await this.redis.restore(key, 3_600_000, content, 'REPLACE');
    await this.#newHistory(this.#history + 1);
  }

  /** A client whose every call is a step of who is in the slot. */
  client(slot: Slot, told: Told): Redis {
    const { redis } = this;
    return new Proxy(redis, {
      get(target, name) {
        const found: unknown = Reflect.get(target, name, target);
        if (typeof found !== 'function') return found;
        const call = String(name);
        const isStep =
          call.startsWith('forebay_') ||
          ['hget', 'hgetall', 'zscore', 'hexists', 'unlink', 'get'].includes(call);
        if (!isStep) return found.bind(target);
        return async (...args: unknown[]) => {
          const { actor } = slot;
          await actor.gate(call);
          const reply: unknown = await found.apply(target, args);
          told(actor.name, call, reply);
          return reply;
        };
      },
    });
  }

  async #newHistory(number: number): Promise<void> {
    this.#history = number;
    await this.redis.set(historyKey, number.toString(16).padStart(8, '0'));
  }
}
