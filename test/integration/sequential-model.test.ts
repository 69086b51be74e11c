import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import { lanePlaces } from '../../src/buffer/lane.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { fieldOf } from '../../src/keys.js';
import { createEnvironment, type Environment } from '../support/environment.js';

/** Small batches and a short delay, so that writes meet lanes in every state. */
const projects = record({
  model: Project,
  counters: ['views', 'touches'],
  partitions: 2,
  batchRecordsMax: 2,
  delayMs: 1,
});
const stores = defineStores({ projects, touches: counter({ of: projects, field: 'touches' }) });
type App = Forebay<(typeof stores)['definitions']>;

const ids = ['a', 'b', 'c'];
const id = fc.constantFrom(...ids);
const client = fc.nat({ max: 1 });
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('put' as const), id, client, name: fc.string({ maxLength: 5 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      id,
      client,
      delta: fc.integer({ min: -9, max: 9 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('patch' as const),
      id,
      client,
      name: fc.string({ maxLength: 5 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), id, client }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('read' as const), id, client }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('evict' as const), id, client }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flush' as const), id, client }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refuse' as const), id, client }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replay' as const), id, client }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** The database refuses it. */
const refusedName = 'refused';

let environment: Environment;
let apps: App[];

beforeEach(async () => {
  environment = await createEnvironment();
  await environment.prisma.$executeRawUnsafe(
    `ALTER TABLE projects ADD CONSTRAINT no_refused CHECK (name <> '${refusedName}')`,
  );
  apps = [await environment.connect(stores), await environment.connect(stores)];
  await environment.startWorker(stores);
  await environment.startWorker(stores);
});

afterEach(() => environment.close());

describe('two clients and two workers', () => {
  it('read and leave what sequential execution on one table would', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const model = new Map<string, { name: string; touches: number }>();
        for (const step of steps) await take(step, model);
        await expectRows(model);
        for (const id of ids) await apps[0]?.stores.projects.delete(id);
      }),
      { numRuns: Number(process.env.SEQUENTIAL_MODEL_RUNS ?? 25) },
    );
  });
});

async function take(step: Step, model: Map<string, { name: string; touches: number }>): Promise<void> {
  const app = apps[step.client] as App;
  const row = model.get(step.id);
  switch (step.do) {
    case 'put':
      await app.stores.projects.put({ id: step.id, name: step.name });
      model.set(step.id, { name: step.name, touches: row?.touches ?? 0 });
      return;
    case 'add':
      // A delta for a row that is not there changes nothing, unless the row comes in time: nothing is promised.
      if (!row) return;
      await app.stores.touches.add(step.id, step.delta);
      row.touches += step.delta;
      return;
    case 'patch': {
      const patched = app.stores.projects.patch(step.id, { name: step.name });
      if (!row) return expect(patched).rejects.toMatchObject({ code: 'ROW_MISSING' });
      await patched;
      row.name = step.name;
      return;
    }
    case 'delete':
      await app.stores.projects.delete(step.id);
      model.delete(step.id);
      return;
    case 'read':
      expect((await app.stores.projects.get(step.id))?.name ?? null).toBe(row?.name ?? null);
      expect(await app.stores.touches.get(step.id)).toBe(row?.touches ?? null);
      return;
    case 'evict':
      return evict(step.id);
    case 'flush':
      await app.flush();
      return expectRows(model);
    // Deltas that are still dirty would wait with the refused row.
    case 'refuse':
      await app.flush();
      await app.stores.projects.put({ id: step.id, name: refusedName });
      await app.stores.touches.get(step.id); // Now it may be cached, as that of a row on its way.
      return expectRows(model);
    case 'replay':
      await app.flush();
      await app.deadLetters.replayAll();
      return expectRows(model);
  }
}

async function evict(id: string): Promise<void> {
  for (const { keys } of lanePlaces(environment.config.prefix, 'projects', { partitions: 2 })) {
    const fields = [fieldOf('projects', id), fieldOf('touches', id)];
    await environment.redis.del(fields.map((field) => keys.entryPrefix + field));
  }
}

async function expectRows(model: ReadonlyMap<string, { name: string; touches: number }>): Promise<void> {
  await apps[0]?.flush();
  const rows = await environment.prisma.project.findMany({ select: { id: true, name: true, touches: true } });
  const found = new Map(rows.map(({ id, ...row }) => [id, row]));
  expect(found).toEqual(new Map(model));
}
