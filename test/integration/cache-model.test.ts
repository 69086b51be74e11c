/** Readers with slow loaders, writers, invalidations, evictions and values in memory, in random order, against the truth. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defineStores } from '../../src/definitions/stores.js';
import { CacheModel, steps } from '../support/cache-model.js';
import { AppParticipant } from '../support/cache-participant.js';
import { createEnvironment, type Environment } from '../support/environment.js';

let environment: Environment;
/** Three processes, as far as they can tell. */
let participants: AppParticipant[];

beforeAll(async () => {
  environment = await createEnvironment();
  const stores = defineStores({});
  participants = [
    new AppParticipant(await environment.connect(stores), { hasMemory: true }),
    new AppParticipant(await environment.connect(stores), { hasMemory: true }),
    new AppParticipant(await environment.connect(stores, { cache: { l1: false } }), { hasMemory: false }),
  ];
});

afterAll(() => environment.close());

it('no read is older than the reader’s last accepted change, and nothing stale stays in the cache', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(...steps), { maxLength: 40, size: 'max' }), async (taken) => {
      const model = new CacheModel({
        name: `${++run}`,
        loadTimeoutMs: 10_000,
        environment,
        participants,
        mayFail: () => false,
      });
      for (const { take } of taken) await take(model);
      await model.settle();
      expect(model.violations).toEqual([]);
      await model.expectTruthEverywhere();
    }),
    { numRuns: Number(process.env.CACHE_MODEL_RUNS ?? 150) },
  );
});
