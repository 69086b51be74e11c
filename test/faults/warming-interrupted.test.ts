/** A run of warming over 100,000 users, whose worker is killed half-way. */
import { QueueEvents } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Forebay } from '../../src/app/connect.js';
import { queuePrefix } from '../../src/keys.js';
import { WarmQueue, type WarmSummary, warmQueueName } from '../../src/queues/warm-queue.js';
import type { WarmWorkerReport } from '../processes/warm-worker.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.js';
import { stores } from '../support/warm-stores.js';

const users = 100_000;
const pages = users / 1_000;
const queriesOfAPage = 2;

let environment: Environment;
let app: Forebay<typeof stores.definitions>;
let queue: WarmQueue;
let events: QueueEvents;
let killed: ServiceProcess<WarmWorkerReport>;
let second: ServiceProcess<WarmWorkerReport>;
let summary: WarmSummary;

beforeAll(async () => {
  environment = await createEnvironment();
  app = await environment.connect(stores, { cache: { l1: false } });
  await environment.prisma.$executeRaw`
    INSERT INTO users (id, email, name, updated_at)
    SELECT lpad(i::text, 7, '0'), i || '@example.com', 'user ' || i, now() FROM generate_series(1, ${users}::int) i`;
  queue = new WarmQueue(environment.redis as never, environment.config.prefix, () => undefined);
  events = new QueueEvents(warmQueueName, {
    connection: { url: environment.env.REDIS_URL },
    prefix: queuePrefix(environment.config.prefix),
  });
  await events.waitUntilReady();
  const job = await queue.add('everyone');
  killed = await startServiceProcess(environment, 'warm-worker.ts');
  await killed.told((pages / 2) * queriesOfAPage);
  await killed.kill();
  second = await startServiceProcess(environment, 'warm-worker.ts');
  summary = await job.waitUntilFinished(events);
});

afterAll(async () => {
  await killed.kill();
  await second.kill();
  await events.close();
  await queue.close();
  await environment.close();
});

describe('W a run whose worker is killed half-way', () => {
  it('goes on where it was, in another worker, to its end', () => {
    expect(summary).toMatchObject({ failed: 0, absent: 0, max: users });
    // The page in hand was done twice at most; what it had put there before the kill counts as fresh.
    expect(summary.warmed + summary.fresh).toBe(users);
    expect(summary.fresh).toBeLessThanOrEqual(1_000);
    expect(second.messages.length).toBeLessThanOrEqual((pages / 2 + 2) * queriesOfAPage);
  });

  it('leaves every value where readers find it', async () => {
    const ids = Array.from({ length: 500 }, (_, i) => String((i + 1) * 200).padStart(7, '0'));
    const values = await app.stores.everyone.getMany(ids);
    expect(values).toEqual(ids.map((id) => `user ${Number(id)}`));
    expect(app.cache.getStats()).toMatchObject({ hits: 500, misses: 0, loads: 0 });
  });

  it('makes two queries for a page, and none for a key', () => {
    const queries = killed.messages.length + second.messages.length;
    // One page may be listed and loaded twice, and the last list is empty.
    expect(queries).toBeLessThanOrEqual((pages + 2) * queriesOfAPage);
    expect(queries).toBeGreaterThanOrEqual(pages * queriesOfAPage);
  });

  it('takes no more memory at its end than at its beginning', () => {
    for (const { messages: reports } of [killed, second]) {
      const early = least(reports.slice(0, reports.length / 2));
      const late = least(reports.slice(reports.length / 2));
      expect(late - early).toBeLessThan(3 * 1_048_576);
    }
  });
});

/** What is left after collections of garbage. */
function least(reports: readonly { heapBytes: number }[]): number {
  return Math.min(...reports.map(({ heapBytes }) => heapBytes));
}
