/** A lane's whole state in Redis: seeded, and read back to be compared. */
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import { type Lane, Lanes } from '../../src/buffer/lane.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { letterKey } from '../../src/keys.js';

type Fields = Readonly<Record<string, string>>;

/** By field, all of them; what is empty is left out. */
export interface LaneContent {
  readonly meta?: Fields;
  readonly order?: Fields;
  readonly dirty?: Fields;
  readonly sealed?: Fields;
  readonly dead?: Fields;
  readonly waiting?: Fields;
  readonly retries?: Fields;
  readonly foreign?: readonly string[];
  readonly letters?: Readonly<Record<string, Fields>>;
  readonly entries?: Fields;
}

/** In place of a time (µs) of about now: what the server's clock gave. */
export const now = 'now';

/** A lane of projects and their counters, under a prefix of its own, with narrow limits. */
export function createLane(): Lane {
  const limits = { partitions: 1, dirtyMax: 3, deadLettersMax: 2, delayMs: 25 };
  const projects = record({ model: Project, counters: ['views', 'touches'], ...limits });
  const views = counter({ of: projects, field: 'views' });
  const prefix = `parts_${randomBytes(6).toString('hex')}`;
  return new Lanes(defineStores({ projects, views }), prefix).all[0] as Lane;
}

export async function seedLane(redis: Redis, { keys }: Lane, content: LaneContent): Promise<void> {
  const pipeline = redis.pipeline();
  pipeline.hset(keys.meta, 'generation', await generationOf(redis));
  for (const name of ['meta', 'dirty', 'sealed', 'waiting'] as const) {
    if (content[name]) pipeline.hset(keys[name], withClock(content[name]));
  }
  for (const name of ['order', 'dead', 'retries'] as const) {
    for (const [field, score] of Object.entries(withClock(content[name] ?? {})))
      pipeline.zadd(keys[name], score, field);
  }
  for (const [field, letter] of Object.entries(content.letters ?? {}))
    pipeline.hset(letterKey(keys, field), letter);
  for (const [field, entry] of Object.entries(content.entries ?? {})) {
    pipeline.set(keys.entryPrefix + field, entry, 'PX', 60_000);
  }
  if (content.foreign) pipeline.sadd(keys.foreign, ...content.foreign);
  await pipeline.exec();
}

/** Checks besides that entries alone have a life. */
export async function readLane(redis: Redis, { keys }: Lane): Promise<LaneContent> {
  const names: string[] = [];
  const found = redis.scanStream({ match: `${keys.entryPrefix}*`, count: 1_000 });
  for await (const some of found) names.push(...(some as string[]));
  const letters: Record<string, Fields> = {};
  const entries: Record<string, string> = {};
  const { meta: metaKey, order, dirty, sealed, dead, waiting, retries, foreign } = keys;
  const own = [metaKey, order, dirty, sealed, dead, waiting, retries, foreign];
  for (const name of names) {
    const isLetter = name.startsWith(`${keys.dead}:`);
    const isEntry = !isLetter && !own.includes(name);
    expect((await redis.pttl(name)) > 0, `${name} has a life`).toBe(isEntry);
    if (isLetter) letters[name.slice(keys.dead.length + 1)] = await redis.hgetall(name);
    if (isEntry) entries[name.slice(keys.entryPrefix.length)] = (await redis.get(name)) as string;
  }
  const { generation, ...meta } = await redis.hgetall(keys.meta);
  expect(generation, 'a new generation').toBe(await generationOf(redis));
  return withoutEmpty({
    meta: withoutClock(meta),
    order: withoutClock(await scores(redis, keys.order)),
    dirty: await redis.hgetall(keys.dirty),
    sealed: await redis.hgetall(keys.sealed),
    dead: withoutClock(await scores(redis, keys.dead)),
    waiting: withoutClock(await redis.hgetall(keys.waiting)),
    retries: withoutClock(await scores(redis, keys.retries)),
    foreign: (await redis.smembers(keys.foreign)).sort(),
    letters,
    entries,
  });
}

/** The server's own, so that the lane goes on in it. */
async function generationOf(redis: Redis): Promise<string> {
  const history = /master_replid:(\w+)/.exec(await redis.info('replication'))?.[1];
  return `${history}.1`;
}

async function scores(redis: Redis, key: string): Promise<Record<string, string>> {
  const list = await redis.zrange(key, '0', '-1', 'WITHSCORES');
  return Object.fromEntries(
    list.flatMap((field, i) => (i % 2 === 0 ? [[field, list[i + 1] as string]] : [])),
  );
}

function withoutEmpty(content: Record<keyof LaneContent, object>): LaneContent {
  return Object.fromEntries(Object.entries(content).filter(([, fields]) => Object.keys(fields).length > 0));
}

function withoutClock(fields: Fields): Record<string, string> {
  const isNow = (text: string): boolean => Math.abs(Number(text) / 1_000 - Date.now()) < 3_600_000;
  return mapped(fields, (text) => text.replace(/\d{16}/, (time) => (isNow(time) ? now : time)));
}

function withClock(fields: Fields): Record<string, string> {
  return mapped(fields, (text) => text.replace(now, `${Date.now()}000`));
}

function mapped(fields: Fields, change: (text: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([field, text]) => [field, change(text)]));
}
