/** What a load takes. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rowOf, type Table } from '../../../bench/write-behind/rows.js';
import { Client } from '../../../examples/platform/generated/models.js';
import { partitionOf } from '../../../src/buffer/lane.js';
import { record } from '../../../src/definitions/record.js';
import { defineStores } from '../../../src/definitions/stores.js';
import {
  busyMax,
  costOf,
  costs,
  fullFirst,
  type Load,
  type PartName,
  planOf,
} from '../../../src/operations/plan.js';
import { command } from '../../support/command-line.js';

const parts: readonly PartName[] = ['app', 'redis', 'worker', 'postgres'];

const loads: fc.Arbitrary<Load> = fc.record({
  writesPerSecond: fc.integer({ min: 1, max: 1_000_000 }),
  rowBytes: fc.integer({ min: 1, max: 1_000_000 }),
  writesPerRow: fc.integer({ min: 1, max: 1_000 }),
  stores: fc.integer({ min: 1, max: 50 }),
  outageMs: fc.integer({ min: 0, max: 3_600_000 }),
});

describe('a plan', () => {
  it('leaves each thread room for a peak, two workers at least, and lanes for all of them', () => {
    fc.assert(
      fc.property(loads, (load) => {
        const plan = planOf(load);
        for (const part of parts) expect(plan[part].cores / plan[part].count).toBeLessThanOrEqual(busyMax);
        expect(plan.worker.count).toBeGreaterThanOrEqual(2);
        expect(Math.log2(plan.partitions) % 1).toBe(0);
        const lanes = plan.partitions * load.stores;
        if (plan.partitions < 1_024)
          expect(lanes).toBeGreaterThanOrEqual(2 * Math.max(plan.worker.count, plan.redis.count));
        expect(lanes * plan.dirtyMax).toBeGreaterThanOrEqual(
          (load.writesPerSecond / load.writesPerRow / 1_000) * load.outageMs,
        );
      }),
    );
  });

  it('names what can be taken: no cluster of two masters, partitions and bounds that a definition may have', () => {
    fc.assert(
      fc.property(loads, (load) => {
        const { redis, partitions, dirtyMax, dirtyBytesMax } = planOf(load);
        expect(redis.count).not.toBe(2);
        const records = (load.writesPerSecond / load.writesPerRow / 1_000) * load.outageMs;
        fc.pre(records < 1e9 && records * load.rowBytes < 1e13);
        const make = () =>
          defineStores({ clients: record({ model: Client, partitions, dirtyMax, dirtyBytesMax }) });
        expect(make).not.toThrow();
      }),
    );
  });

  it('has room for records as they fall into lanes, by their ids', () => {
    const load = { writesPerSecond: 1_000, rowBytes: 300, writesPerRow: 1, stores: 1, outageMs: 1_000_000 };
    const { partitions, dirtyMax } = planOf(load);
    const inLanes = new Map<number, number>();
    for (let id = 0; id < 1_000_000; id++) {
      const partition = partitionOf(`id${id}`, partitions);
      inLanes.set(partition, (inLanes.get(partition) ?? 0) + 1);
    }
    expect(Math.max(...inLanes.values())).toBeLessThanOrEqual(dirtyMax);
  });

  it('takes no less of anything for more writes, larger rows or a longer outage', () => {
    fc.assert(
      fc.property(loads, loads, (one, other) => {
        const more = {
          ...one,
          writesPerSecond: one.writesPerSecond + other.writesPerSecond,
          rowBytes: one.rowBytes + other.rowBytes,
          outageMs: one.outageMs + other.outageMs,
        };
        const [small, large] = [planOf(one), planOf(more)];
        for (const part of parts) expect(large[part].count).toBeGreaterThanOrEqual(small[part].count);
        expect(large.partitions).toBeGreaterThanOrEqual(small.partitions);
        expect(large.backlogBytes).toBeGreaterThanOrEqual(small.backlogBytes);
        expect(large.fileBytesPerSecond).toBeGreaterThan(small.fileBytesPerSecond);
      }),
    );
  });

  it('costs the database and the workers only what is flushed', () => {
    const load = { writesPerSecond: 50_000, rowBytes: 120, stores: 1, outageMs: 0 };
    const [cold, hot] = [planOf({ ...load, writesPerRow: 1 }), planOf({ ...load, writesPerRow: 20 })];
    expect(hot.postgres.cores).toBeCloseTo(cold.postgres.cores / 20);
    expect(hot.worker.cores).toBeCloseTo(cold.worker.cores / 20);
    expect([hot.app.cores, hot.redis.cores]).toEqual([cold.app.cores, cold.redis.cores]);
    expect(fullFirst(hot)).not.toBe('worker');
    expect(hot.app.cores).toBeCloseTo((50_000 * costOf(costs.app, 120)) / 1_000_000);
  });
});

interface Run {
  readonly contestant: string;
  readonly mode: string;
  readonly table: Table;
  readonly workload: string;
  readonly writesPerCoreSecond: number;
  readonly cpuMicros: Readonly<Record<'app' | 'workers' | 'redis', number>>;
}

interface Size {
  /** Of the row's longest column. */
  readonly bytes: number;
  readonly micros: Readonly<Record<'app' | 'workers' | 'redis' | 'postgres', number>>;
}

/** Between what was measured and the plan; indexes and foreign keys of the tables differ. */
const toleranceFactor = 1.5;
/** From day to day: a machine that shares its cores is once as fast and once half as fast. */
const dayFactor = 2;

function resultsOf<T>(bench: string): T {
  const file = new URL(`../../../bench/results/${bench}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

function expectCosts(bytes: number, measured: Readonly<Record<PartName, number>>, factor: number): void {
  for (const [part, micros] of Object.entries(measured)) {
    const ratio = costOf(costs[part as PartName], bytes) / micros;
    expect(ratio, part).toBeLessThan(factor);
    expect(ratio, part).toBeGreaterThan(1 / factor);
  }
}

describe('what a plan takes for the costs', () => {
  const { runs } = resultsOf<{ runs: readonly Run[] }>('write-behind');
  const measured = runs.filter(
    ({ contestant, mode, workload }) => [contestant, mode, workload].join() === 'forebay,put,distinct',
  );

  it.each(measured)(
    'is what the bench has measured for rows of $table',
    ({ table, writesPerCoreSecond, cpuMicros }) => {
      const bytes = JSON.stringify(rowOf(table, 1, 1)).length;
      const { app, workers: worker, redis } = cpuMicros;
      const postgres = 1_000_000 / writesPerCoreSecond - app - worker - redis;
      expectCosts(bytes, { app, worker, redis, postgres }, toleranceFactor);
    },
  );

  const { sizes } = resultsOf<{ sizes: readonly Size[] }>('scale');

  it.each(sizes)('is what another day has measured for a column of $bytes bytes', ({ bytes, micros }) => {
    const { app, workers: worker, redis, postgres } = micros;
    const others = JSON.stringify({ id: '1', name: 'row', createdAt: new Date(), updatedAt: new Date() });
    expectCosts(bytes + others.length, { app, worker, redis, postgres }, dayFactor);
  });

  it('is measured for columns of 200 bytes to 900 kB', () => {
    expect(sizes.map(({ bytes }) => bytes)).toEqual([200, 2_000, 20_000, 200_000, 900_000]);
  });

  it('is measured for narrow rows and wide ones', () => {
    expect(measured.map(({ table }) => table)).toEqual(['clients', 'tasks']);
  });
});

describe('forebay plan', () => {
  const run = (...args: string[]) => command(['plan', ...args], { env: {} });

  it('prints a plan, or gives it to programs, without asking any server', async () => {
    const said = await run('--writes', '20000', '--outage', '1h');
    expect(said).toMatchObject({ code: 0, err: '' });
    expect(said.out).toMatch(/^20,000 writes\/s of 300 bytes/);
    expect(said.out).toContain('While Postgres is away for 3,600 s');
    const { out } = await run('--writes', '20000', '--outage', '1h', '--json');
    expect(JSON.parse(out)).toMatchObject({
      load: { writesPerSecond: 20_000, outageMs: 3_600_000 },
      worker: { count: 2 },
    });
  });

  it.each([
    ['--writes', 'many'],
    ['--writes', '0'],
    ['--writes', ' '],
    ['--row-bytes', '1.5'],
    ['--rewrites', '-1'],
    ['--stores', '1e9'],
    ['--outage', 'long'],
  ])('%s %j is refused, and what it must be is said', async (flag, value) => {
    const { code, err } = await run(flag, value);
    expect(code).toBe(2);
    expect(err).toMatch(/is a (whole )?number from|is no duration/);
  });
});
