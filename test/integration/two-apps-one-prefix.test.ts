/** Apps with different stores on one prefix, and their workers, which share the queues. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Client, Project } from '../../examples/platform/generated/models.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { WriteBehindQueue } from '../../src/queues/write-behind-queue.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const one = defineStores({ projects: record({ model: Project, delayMs: 1 }) });
const other = defineStores({ clients: record({ model: Client, delayMs: 1 }) });
const writes = 30;

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

/** Half of the writes are in the database after so many ms. */
async function medianMs(put: (id: string) => Promise<{ persisted(): Promise<unknown> }>): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < writes; i++) {
    const startedAt = performance.now();
    await (await put(`${i}`)).persisted();
    took.push(performance.now() - startedAt);
  }
  return took.sort((a, b) => a - b)[writes / 2] as number;
}

it('writes of an app are in the database as soon as if its worker were alone, and no job of it fails', async () => {
  const app = await environment.connect(other);
  const put = (id: string) => app.stores.clients.put({ id, name: 'a client' });
  await environment.startWorker(other);
  await medianMs(put);
  const alone = await medianMs(put);
  await environment.startWorker(one, { lanes: 8 });
  await environment.startWorker(one, { lanes: 8 });
  const among = await medianMs(put);
  process.stdout.write(
    `p50 to the database: ${alone.toFixed(1)} ms alone, ${among.toFixed(1)} ms among two others\n`,
  );
  // What a job that is handed back costs is seconds.
  expect(among).toBeLessThan(10 * alone + 100);
  const queue = new WriteBehindQueue(environment.redis as never, environment.config.prefix, () => undefined);
  expect(await (await queue.open()).getJobCounts('failed', 'delayed')).toEqual({ failed: 0, delayed: 0 });
  await queue.close();
  expect(environment.events.filter(({ type }) => type === 'job.failed' || type === 'lane.woken')).toEqual([]);
});
