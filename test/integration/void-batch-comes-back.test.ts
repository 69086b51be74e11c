/**
 * A batch that was found void and split, and stands in Redis again, for that has gone back: nothing of it was applied under
 * its number, whatever was applied since.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import type { Batch } from '../../src/buffer/batch.js';
import { type Lane, Lanes } from '../../src/buffer/lane.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import { applyBatch } from '../../src/database/apply.js';
import { createPersister, type Persister } from '../../src/database/persister.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { BatchSplit } from '../../src/services/write-behind/batch-split.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const projects = record({ model: Project, partitions: 1, delayMs: 0, parentWaitMs: 3_600_000 });
const stores = defineStores({ projects });
const emit = () => undefined;

let environment: Environment;
let buffer: WriteBuffer;
let lane: Lane;
let persister: Persister;

beforeAll(async () => {
  environment = await createEnvironment();
  buffer = new WriteBuffer(environment.redis, environment.config.prefix);
  lane = new Lanes(stores, environment.config.prefix).all[0] as Lane;
  persister = await createPersister(lane.group, environment.prisma);
});

afterAll(() => environment.close());

it('[FB-VOID] a write of a void batch that Redis has again is persisted when its receipt says so', async () => {
  const { prisma } = environment;
  const app = await environment.connect(stores);
  const waits = await app.stores.projects.put({ id: 'waits', name: 'Waits', clientId: 'client' });
  await app.stores.projects.put({ id: 'good', name: 'Good' });
  const batch = await seal();
  const goBack = await keepLane();
  await expect(apply(batch)).rejects.toThrow();
  await splitOf().run(lane, batch);
  const rest = await seal();
  await apply(rest);
  await buffer.ack(lane, rest.number);
  await goBack();

  await prisma.client.create({ data: { id: 'client', name: 'Client' } });
  await environment.startWorker(stores);
  await waits.persisted();

  expect(await prisma.project.findUnique({ where: { id: 'waits' } })).toMatchObject({ name: 'Waits' });
});

async function seal(): Promise<Batch> {
  const reply = await buffer.seal(lane, { recordsMax: 100, delayMs: 0, floor: 0n });
  if (reply.kind !== 'batch') throw new Error(reply.kind);
  return reply.batch;
}

function apply(batch: Batch) {
  const { prisma: database, config } = environment;
  return applyBatch(batch, { database, persister, prefix: config.prefix, emit });
}

function splitOf(): BatchSplit {
  return new BatchSplit({
    buffer,
    database: environment.prisma,
    persisterOf: () => persister,
    prefix: environment.config.prefix,
    emit,
    breaker: { run: (work: () => Promise<unknown>) => work() } as never,
    deadLetters: { show: async () => undefined } as never,
  });
}

/** Returns what brings the lane back to what it is now. */
async function keepLane(): Promise<() => Promise<void>> {
  const { redis } = environment;
  const keys = await redis.keys(`${lane.keys.entryPrefix}*`);
  const dumps = await Promise.all(keys.map(async (key) => [key, await redis.dumpBuffer(key)] as const));
  return async () => {
    await redis.unlink(await redis.keys(`${lane.keys.entryPrefix}*`));
    for (const [key, dump] of dumps) await redis.restore(key, 0, dump as Buffer);
  };
}
