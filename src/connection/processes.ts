/** The processes that work for forebay, as each tells of itself: one key for each, which ends by itself. */
import { processesKey, processKey } from '../keys.js';
import { z } from '../peers/zod.js';
import type { RedisClient } from './redis.js';

/** What a process tells of itself. */
export interface ProcessFacts {
  readonly role: string;
  readonly host: string;
  readonly pid: number;
  /** Of forebay. */
  readonly version: string;
  /** Of the definitions: another one, other definitions. '' when it has none. */
  readonly release: string;
  /** ISO 8601 dates and times, by its own clock. */
  readonly startedAt: string;
  readonly beatAt: string;
  /** 99 of 100 turns of its event loop were late by less, since the last beat. */
  readonly lagMs: number;
  readonly memoryBytes: number;
}

const shape = z.object({
  role: z.string(),
  host: z.string(),
  pid: z.number(),
  version: z.string(),
  release: z.string(),
  startedAt: z.string(),
  beatAt: z.string(),
  lagMs: z.number(),
  memoryBytes: z.number(),
});

/** One beat may be lost. */
export const beatEveryMs = 10_000;
const livesMs = 2.5 * beatEveryMs;

/** @throws what Redis throws */
export async function tellProcess(
  redis: RedisClient,
  prefix: string,
  id: string,
  facts: ProcessFacts,
): Promise<void> {
  await redis.set(processKey(prefix, id), JSON.stringify(facts), 'PX', livesMs);
}

/**
 * To be called again now and then: whoever finds that a process has not told of itself takes it out.
 * @throws what Redis throws
 */
export async function listProcess(redis: RedisClient, prefix: string, id: string): Promise<void> {
  await redis.zadd(processesKey(prefix), Date.now(), id);
}

/** Of a process that stops. @throws what Redis throws */
export async function forgetProcess(redis: RedisClient, prefix: string, id: string): Promise<void> {
  await Promise.all([redis.unlink(processKey(prefix, id)), redis.zrem(processesKey(prefix), id)]);
}

/** By role and host. @throws what Redis throws */
export async function readProcesses(redis: RedisClient, prefix: string): Promise<ProcessFacts[]> {
  const index = processesKey(prefix);
  const ids = await redis.zrange(index, '0', '-1');
  const texts = await Promise.all(ids.map((id) => redis.get(processKey(prefix, id))));
  const gone = ids.filter((_, i) => texts[i] === null);
  if (gone.length > 0) await redis.zrem(index, ...gone);
  const found = texts.flatMap((text) =>
    text === null ? [] : (shape.safeParse(JSON.parse(text)).data ?? []),
  );
  const keyOf = ({ role, host, pid }: ProcessFacts): string => `${role} ${host} ${pid}`;
  return found.sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
}
