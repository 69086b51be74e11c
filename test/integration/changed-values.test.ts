/** Computed values that are made of rows: dropped when these are written, by whomever. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as models from '../../examples/platform/generated/models.js';
import type { PrismaClient } from '../../examples/platform/generated/prisma/client.js';
import type { Forebay } from '../../src/app/connect.js';
import { cacheKey, cacheKeys } from '../../src/definitions/cache-key.js';
import { type ComputeContext, computed } from '../../src/definitions/computed.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import type { ChangesService } from '../../src/services/changes/changes.js';
import { startChangeWorker, toldUpToNow } from '../support/change-worker.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const keys = cacheKeys('changed', {
  open: cacheKey<number>(900),
  all: cacheKey<number>(900),
  turned: cacheKey<number, readonly [string, string]>(900),
  number: cacheKey<number>(900),
});
const clients = record({ model: models.Client, partitions: 2, delayMs: 1 });
const projects = record({ model: models.Project, counters: ['views', 'touches'], partitions: 2, delayMs: 1 });
const projectCount = async (ids: readonly string[], { prisma }: ComputeContext<PrismaClient>) => {
  const count = await prisma.project.count();
  return new Map(ids.map((id) => [id, count]));
};
/** How often each value was computed. */
const loads = new Map<string, number>();
let isHeld = false;
/** Lets a load go that has counted. */
let letGo: (() => void) | undefined;

const stores = defineStores({
  clients,
  projects,
  /** How many projects a client has. */
  counts: computed({
    key: keys.open,
    dependsOn: [projects],
    idsOf: ({ before, after }) => {
      if (after?.name === 'throw') throw new Error('no ids');
      if (after?.name === 'async') return Promise.reject(new Error('no ids')) as unknown as 'all';
      if (after?.name === 'number') return [1] as unknown as string[];
      const ids = [before, after].flatMap((row) => (row ? [row.clientId] : []));
      return ids.includes(undefined) ? 'all' : ids.filter((id) => typeof id === 'string');
    },
    load: async (ids, { prisma }: ComputeContext<PrismaClient>) => {
      const counts = await Promise.all(ids.map((clientId) => prisma.project.count({ where: { clientId } })));
      if (isHeld)
        await new Promise<void>((resolve) => {
          letGo = resolve;
        });
      for (const id of ids) loads.set(id, (loads.get(id) ?? 0) + 1);
      return new Map(ids.map((id, i) => [id, counts[i] as number]));
    },
  }),
  /** Keys that the worker can't guess. */
  turned: computed({
    key: (id) => {
      const [client = '', month = ''] = id.split('@');
      return keys.turned(month, client);
    },
    dependsOn: [projects],
    load: projectCount,
  }),
  numbers: computed({
    key: (id) => keys.number(String(BigInt(id))),
    dependsOn: [projects],
    idsOf: ({ after }) => (after?.name === 'refused' ? ['no number'] : []),
    load: projectCount,
  }),
  picky: computed({
    key: (id) => {
      if (!id.startsWith('#')) throw new TypeError('no picky id');
      return keys.number(id);
    },
    dependsOn: [projects],
    idsOf: ({ after }) => (after?.name === 'refused' ? 'all' : []),
    load: projectCount,
  }),
  /** One value, made of all rows of two stores. */
  total: computed({
    key: keys.all,
    dependsOn: [clients, projects],
    load: async (ids, { prisma }: ComputeContext<PrismaClient>) => {
      const total = (await prisma.client.count()) + (await prisma.project.count());
      return new Map(ids.map((id) => [id, total]));
    },
  }),
});
type App = Forebay<(typeof stores)['definitions']>;

let environment: Environment;
let app: App;
let changes: ChangesService;

beforeAll(async () => {
  environment = await createEnvironment();
  await sql('ALTER TABLE projects REPLICA IDENTITY FULL');
  await environment.startWorker(stores);
  app = await environment.connect(stores);
  changes = await startChangeWorker(environment, stores);
});

afterAll(async () => {
  await changes.stop(5_000);
  await environment.close();
});

beforeEach(async () => {
  await sql('TRUNCATE clients CASCADE');
  await sql("INSERT INTO clients (id, name, updated_at) VALUES ('a', 'a', now()), ('b', 'b', now())");
  await sql("INSERT INTO projects (id, name, client_id, updated_at) VALUES ('p', 'p', 'a', now())");
  await expect.poll(counts, { interval: 5 }).toEqual([1, 0]);
  await expect.poll(total, { interval: 5 }).toBe(3);
});

const sql = (text: string): Promise<number> => environment.prisma.$executeRawUnsafe(text);
const counts = (): Promise<(number | null)[]> => app.stores.counts.getMany(['a', 'b']);
const total = (): Promise<number | null> => app.stores.total.get('all');

describe('a value that is made of rows is computed anew', () => {
  it.each<[string, () => Promise<unknown>, number[], number]>([
    ['others write one', () => sql("UPDATE projects SET client_id = 'b'"), [0, 1], 3],
    ['others delete one', () => sql('DELETE FROM projects'), [0, 0], 2],
    ['a table is emptied', () => sql('TRUNCATE projects CASCADE'), [0, 0], 2],
    [
      'forebay writes one',
      async () => {
        await app.stores.projects.put({ id: 'q', name: 'q', clientId: 'b' });
        await app.flush();
      },
      [1, 1],
      4,
    ],
    ...['throw', 'async', 'number'].map((name): [string, () => Promise<unknown>, number[], number] => [
      `its ids are not known, for idsOf does: ${name}`,
      () => sql(`INSERT INTO projects (id, name, client_id, updated_at) VALUES ('t', '${name}', 'b', now())`),
      [1, 1],
      4,
    ]),
  ])('when %s', async (_, write, each, all) => {
    await write();
    await expect.poll(counts, { interval: 5 }).toEqual(each);
    await expect.poll(total, { interval: 5 }).toBe(all);
  });

  it('and others stay as they are', async () => {
    await toldUpToNow(environment);
    await counts();
    const before = loads.get('a');
    await sql("INSERT INTO projects (id, name, client_id, updated_at) VALUES ('q', 'q', 'b', now())");
    await expect.poll(counts, { interval: 5 }).toEqual([1, 1]);
    expect(loads.get('a')).toBe(before);
  });

  it('also when a column that tells them is large, and stays as it was', async () => {
    const id = 'c'.repeat(2_100);
    await sql('ALTER TABLE projects ALTER client_id SET STORAGE EXTERNAL');
    await sql(`INSERT INTO clients (id, name, updated_at) VALUES ('${id}', 'c', now())`);
    await sql(`INSERT INTO projects (id, name, client_id, updated_at) VALUES ('large', 'l', '${id}', now())`);
    await toldUpToNow(environment);
    await counts();
    const before = loads.get('a');
    await sql("UPDATE projects SET name = 'other' WHERE id = 'large'");
    await toldUpToNow(environment);
    await counts();
    expect(loads.get('a')).toBe(before);
  });

  it('also when a load is under way that has seen the old rows', async () => {
    await toldUpToNow(environment);
    await app.cache.delete(keys.open('b'));
    isHeld = true;
    const slow = app.stores.counts.get('b');
    await expect.poll(() => letGo, { interval: 5 }).toBeDefined();
    await sql("UPDATE projects SET client_id = 'b'");
    await expect
      .poll(() => environment.redis.get(`${environment.config.prefix}:${keys.open('b')}`), { interval: 5 })
      .toBeNull();
    isHeld = false;
    letGo?.();
    expect(await slow).toBe(0);
    await expect.poll(counts, { interval: 5 }).toEqual([0, 1]);
  });
});

describe('whatever a key makes of the id', () => {
  const read = () =>
    Promise.all([app.stores.turned.get('a@2026'), app.stores.numbers.get('007'), app.stores.picky.get('#1')]);

  it('its values are dropped when all are, and when it throws for one id', async () => {
    await toldUpToNow(environment);
    expect(await read()).toEqual([1, 1, 1]);
    await sql("INSERT INTO projects (id, name, updated_at) VALUES ('q', 'refused', now())");
    await expect.poll(read, { interval: 5 }).toEqual([2, 2, 2]);
  });
});
