/** The true Redis of a simulation: under a clock that the scheduler sets, and back at an earlier moment on demand. */
import type { Redis } from 'ioredis';
import { type Actor, currentActor } from './actor.js';

const clockKey = 'simulate:clock';
const historyKey = 'simulate:history';
const startUs = 1_700_000_000_000_000;

/** A call that was answered. */
export interface Answered {
  readonly actor: string;
  readonly call: string;
  readonly args: readonly unknown[];
  readonly reply: unknown;
}

export class RedisUnderTest {
  /** For the simulator's own looks. */
  readonly redis: Redis;
  #nowUs = 0;
  #stepUs = 0;
  #history = 0;
  #kept: readonly [key: string, content: Buffer][] = [];

  constructor(redis: Redis) {
    this.redis = redis;
  }

  /** The scheduler's time, which only grows. */
  get nowMs(): number {
    return Math.floor(this.#nowUs / 1_000);
  }

  async begin(): Promise<void> {
    await this.redis.flushall();
    this.#kept = [];
    this.#stepUs = 0;
    await this.#newHistory(1);
    this.#nowUs = startUs;
    this.pass(0);
  }

  pass(us: number): void {
    this.#nowUs += us;
    this.#setClock();
  }

  /** The clock of Redis steps back, or forward again. */
  stepClock(us: number): void {
    this.#stepUs += us;
    this.#setClock();
  }

  async keep(): Promise<void> {
    const keys = (await this.redis.keys('{*')).sort();
    const contents = await Promise.all(keys.map((key) => this.redis.dumpBuffer(key)));
    this.#kept = keys.map((key, i) => [key, contents[i] as Buffer]);
  }

  /** As a server that was started from an older file. */
  async goBack(): Promise<void> {
    const keys = await this.redis.keys('{*');
    if (keys.length > 0) await this.redis.unlink(...keys);
    for (const [key, content] of this.#kept) await this.redis.restore(key, 3_600_000, content, 'REPLACE');
    await this.#newHistory(this.#history + 1);
  }

  /** A client whose every call is a step of who makes it. */
  client(told: (answered: Answered) => void): Redis {
    return new Proxy(this.redis, {
      get(target, name) {
        const found: unknown = Reflect.get(target, name, target);
        if (typeof found !== 'function') return found;
        const call = String(name);
        if (call === 'scanStream') return ({ match }: { match: string }) => scan(target, match);
        return (...args: unknown[]) => {
          const actor = currentActor();
          const send = () => found.apply(target, args) as Promise<unknown>;
          return actor && isStep(call) ? step(actor, { call, args }, { send, told }) : send();
        };
      },
    });
  }

  // The connection keeps the order: what is sent next finds it.
  #setClock(): void {
    void this.redis.set(clockKey, `${this.#nowUs + this.#stepUs}`);
  }

  async #newHistory(number: number): Promise<void> {
    this.#history = number;
    await this.redis.set(historyKey, number.toString(16).padStart(8, '0'));
  }
}

function isStep(call: string): boolean {
  return call.startsWith('forebay_') || /^(hget|hgetall|hexists|hkeys|zscore|zrange|unlink|get)$/.test(call);
}

async function step(
  actor: Actor,
  { call, args }: Pick<Answered, 'call' | 'args'>,
  { send, told }: { send: () => Promise<unknown>; told: (answered: Answered) => void },
): Promise<unknown> {
  await actor.gate(call);
  const reply = await actor.track(send());
  told({ actor: actor.name, call, args, reply });
  return reply;
}

/** In one step, and in an order that does not depend on the server. */
async function* scan(redis: Redis, match: string): AsyncGenerator<string[]> {
  const actor = currentActor();
  await actor?.gate('scan');
  const keys = redis.keys(match);
  const found = (await (actor ? actor.track(keys) : keys)).sort();
  if (found.length > 0) yield found;
}
