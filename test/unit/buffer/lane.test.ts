/** Which lane a record's writes go through. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Project, TeamMember } from '../../../examples/platform/generated/models.js';
import { Lanes, partitionOf } from '../../../src/buffer/lane.js';
import { counter } from '../../../src/definitions/counter.js';
import { record } from '../../../src/definitions/record.js';
import { defineStores } from '../../../src/definitions/stores.js';

describe('partitionOf', () => {
  // Accepted writes wait in Redis under this number: another result after an upgrade would lose sight of them.
  it.each([
    ['', 8, 5],
    ['a', 8, 4],
    ['b', 8, 5],
    ['foobar', 8, 0],
    ['3f0c4a52-6c1f-4a07-9d34-0a4b0a3f2d11', 8, 6],
    ['3f0c4a52-6c1f-4a07-9d34-0a4b0a3f2d11', 1_024, 1_014],
    ['ключ', 8, 1],
    ['😀', 8, 0],
    ['12345', 64, 24],
  ])('of "%s" in %d is %d, now and in every later version', (idKey, partitions, partition) => {
    expect(partitionOf(idKey, partitions)).toBe(partition);
  });

  it('is a partition that exists', () => {
    const ids = fc.string({ unit: 'binary', maxLength: 60 });
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 1_024 }), (idKey, partitions) => {
        const partition = partitionOf(idKey, partitions);
        expect(Number.isInteger(partition) && partition >= 0 && partition < partitions).toBe(true);
      }),
    );
  });

  const families: [string, (i: number) => string][] = [
    ['numbers', String],
    ['numbers with a prefix', (i) => `user-${i}`],
    ['pairs', (i) => `${i % 100},${Math.floor(i / 100)}`],
    ['uuids', (i) => fc.sample(fc.uuid(), { seed: i, numRuns: 1 })[0] as string],
  ];
  it.each(families)('spreads %s evenly', (_, idKeyOf) => {
    for (const partitions of [2, 8, 13, 64]) {
      const ids = 4_000;
      const counts = new Array<number>(partitions).fill(0);
      for (let i = 0; i < ids; i++) {
        const partition = partitionOf(idKeyOf(i), partitions);
        counts[partition] = (counts[partition] as number) + 1;
      }
      const expected = ids / partitions;
      const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      // Chance alone gives partitions - 1 on average, and this bound once in more than a million times.
      const freedom = partitions - 1;
      expect(chiSquare).toBeLessThan(freedom + 6 * Math.sqrt(2 * freedom) + 16);
    }
  });
});

describe('Lanes', () => {
  const projects = record({ model: Project, counters: ['views'], partitions: 3 });
  const stores = defineStores({
    projects,
    views: counter({ of: projects, field: 'views' }),
    members: record({ model: TeamMember, partitions: 2 }),
  });
  const lanes = new Lanes(stores, 'app');

  it('are named after their group and partition', () => {
    const names = lanes.all.map(({ name }) => name);
    expect(names).toEqual(['projects/0', 'projects/1', 'projects/2', 'members/0', 'members/1']);
    for (const lane of lanes.all) expect(lanes.named(lane.name)).toBe(lane);
  });

  it('that no definition has are undefined', () => {
    for (const name of ['projects/3', 'views/0', 'projects', '']) expect(lanes.named(name)).toBeUndefined();
  });

  it('are one for a record and its counter', () => {
    const [record, view] = ['projects', 'views'].map((name) => stores.byName.get(name));
    for (const idKey of ['a', 'b', 'c', 'd', 'e']) {
      const lane = lanes.of(record?.group as never, idKey);
      expect(lane.name).toBe(`projects/${partitionOf(idKey, 3)}`);
      expect(lanes.of(view?.group as never, idKey)).toBe(lane);
    }
  });

  it('keep all their keys under one hash tag', () => {
    for (const { name, keys } of lanes.all) {
      for (const key of Object.values(keys)) expect(key).toMatch(new RegExp(`^{app:${name}~\\w+}:`));
    }
  });
});
