/** `forebay dead-letters`: what the database refused, to be looked at, replayed or discarded. */
import { type LetterLane, lanePlaces } from '../buffer/lane.js';
import { readPartitions } from '../buffer/partitions.js';
import { WriteBuffer } from '../buffer/write-buffer.js';
import { type DeadLetter, DeadLetters, type LetterPlace } from '../client/dead-letters.js';
import { type Config, readConfig } from '../config.js';
import { breakerOf } from '../connection/breaker.js';
import type { RedisClient } from '../connection/redis.js';
import { DeadLetterQueue } from '../queues/dead-letter-queue.js';
import { closeQueues } from '../queues/lazy-queue.js';
import { WriteBehindQueue } from '../queues/write-behind-queue.js';
import { duration } from './duration.js';
import { type LineOutput, ProgressBar } from './progress-bar.js';
import { table } from './table.js';
import { withConnections } from './with-connections.js';

/** The letters that are meant: of a store, of a record (`store:id`); undefined: all. */
export type Which = string | undefined;

type Say = (text: string) => void;

/** Of what the database says, in characters. */
const messageMax = 160;
const showEvery = 100;
const done = { replay: 'Accepted again', discard: 'Discarded' };

/** @throws ForebayError INVALID_CONFIG, REDIS_UNAVAILABLE */
export async function listDeadLetters(
  which: Which,
  say: Say,
  { isJson }: { isJson: boolean },
): Promise<void> {
  await withDeadLetters(async (letters) => {
    const found: DeadLetter[] = [];
    for await (const letter of meant(letters, which)) found.push(letter);
    found.sort((a, b) => a.refusedAt.getTime() - b.refusedAt.getTime());
    if (isJson) say(`${JSON.stringify(found, null, 2)}\n`);
    else say(found.length === 0 ? none(which) : letterTable(found, new Date()));
  });
}

/**
 * Replays letters or discards them, and says how many.
 * @throws as `listDeadLetters`
 */
export async function settleDeadLetters(
  act: 'replay' | 'discard',
  which: Which,
  { say, progress }: { say: Say; progress: LineOutput },
): Promise<void> {
  await withDeadLetters(async (letters) => {
    // Those that there are by now: one that is replayed and refused again is another.
    const places: LetterPlace[] = [];
    for await (const { lane, name } of meant(letters, which)) places.push({ lane, name });
    const bar = new ProgressBar(progress);
    let settled = 0;
    for (const [i, place] of places.entries()) {
      if (i % showEvery === 0) bar.show(act, i, places.length);
      if (await letters[act](place)) settled += 1;
    }
    bar.clear();
    say(places.length === 0 ? none(which) : `${done[act]}: ${settled}.\n`);
  });
}

async function withDeadLetters(use: (letters: DeadLetters) => Promise<void>, config: Config = readConfig()) {
  const { prefix, redis, queueRedis } = config;
  const emit = (): void => undefined;
  const plan = { redis: [redis, 'reads'], queue: [queueRedis, 'queue'] } as const;
  await withConnections(plan, async (connections, resources) => {
    const queue = new DeadLetterQueue(connections.queue, prefix, emit);
    const wakeUps = new WriteBehindQueue(connections.queue, prefix, emit);
    resources.own('queues', [queue, wakeUps], closeQueues);
    const lanes = await readLanes(connections.redis, prefix);
    const buffer = new WriteBuffer(connections.redis, prefix);
    const breaker = resources.own('breaker', breakerOf(connections.redis, 'reads', emit), (it) => it.stop());
    await use(new DeadLetters({ lanes, buffer, breaker, queue, wakeUps, emit }));
  });
}

/** The command knows no definitions: all lanes that were ever written. Replayed letters wait for no delay. */
async function readLanes(redis: RedisClient, prefix: string) {
  const stores = [...(await readPartitions(redis, prefix))];
  const all = stores.flatMap(([store, partitions]) =>
    lanePlaces(prefix, store, partitions).map((place): LetterLane => ({ ...place, group: { minDelayMs: 0 } })),
  );
  return {
    all,
    named: (name: string) => all.find((lane) => lane.name === name),
    ofStore: () => all,
  };
}

async function* meant(letters: DeadLetters, which: Which): AsyncGenerator<DeadLetter> {
  for await (const letter of letters.list()) {
    const { store, id } = letter;
    if (which === undefined || which === store || which === `${store}:${id}`) yield letter;
  }
}

function none(which: Which): string {
  return which === undefined ? 'No dead letters.\n' : `No dead letters of ${which}.\n`;
}

function letterTable(letters: readonly DeadLetter[], now: Date): string {
  const rows = letters.map(({ store, id, refusedAt, error }) => [
    `${store}:${id}`,
    `${duration(now.getTime() - refusedAt.getTime())} ago`,
    error.state,
    shortened(error.message),
  ]);
  return table([['record', 'refused', 'SQLSTATE', 'the database says'], ...rows]);
}

function shortened(message: string): string {
  const line = message.split('\n', 1)[0] as string;
  return line.length <= messageMax ? line : `${line.slice(0, messageMax)}…`;
}
