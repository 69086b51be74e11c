/** Where lanes lie in a cluster. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lanePlaces } from '../../../src/buffer/lane.js';
import { laneTag } from '../../../src/buffer/lane-tags.js';
import { slotCount, slotOf } from '../../../src/hash-slot.js';

const prefix = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_:.-]{0,30}$/);
const store = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,40}$/);
const powerOfTwo = fc.integer({ min: 0, max: 8 }).map((exponent) => 2 ** exponent);
const masterCount = fc.integer({ min: 2, max: 32 });

/** How many lanes the busiest master has, of masters that share the slots evenly. */
function busiest(lanes: ReturnType<typeof lanePlaces>, masters: number): number {
  const counts = new Array<number>(masters).fill(0);
  for (const { keys } of lanes) {
    const master = Math.floor((slotOf(keys.meta) * masters) / slotCount);
    counts[master] = (counts[master] ?? 0) + 1;
  }
  return Math.max(...counts);
}

describe('the lanes of a store', () => {
  it('are at most one more on any master than an even share, where their number is a power of two', () => {
    fc.assert(
      fc.property(prefix, store, powerOfTwo, masterCount, (name, ofStore, partitions, masters) => {
        const lanes = lanePlaces(name, ofStore, { partitions });
        expect(busiest(lanes, masters)).toBeLessThanOrEqual(Math.ceil(partitions / masters) + 1);
      }),
    );
  });

  it('are at most three more, whatever their number', () => {
    const any = fc.integer({ min: 1, max: 256 });
    fc.assert(
      fc.property(prefix, store, any, masterCount, (name, ofStore, partitions, masters) => {
        const lanes = lanePlaces(name, ofStore, { partitions });
        expect(busiest(lanes, masters)).toBeLessThanOrEqual(Math.ceil(partitions / masters) + 3);
      }),
    );
  });

  it('reach as many masters as there are lanes, or all, where both are powers of two', () => {
    const masters = fc.constantFrom(2, 4, 8, 16);
    fc.assert(
      fc.property(prefix, store, powerOfTwo, masters, (name, ofStore, partitions, count) => {
        const reached = new Set(
          lanePlaces(name, ofStore, { partitions }).map(({ keys }) =>
            Math.floor((slotOf(keys.meta) * count) / slotCount),
          ),
        );
        expect(reached.size).toBe(Math.min(partitions, count));
      }),
    );
  });

  it('with eight partitions lie on eight masters of twelve; under the first tags on four', () => {
    const masterOf = (tag: string) => Math.floor((slotOf(`{${tag}}`) * 12) / slotCount);
    const reached = (tags: 'first' | 'spread') =>
      new Set([0, 1, 2, 3, 4, 5, 6, 7].map((i) => masterOf(laneTag('forebay', `tasks/${i}`, tags)))).size;
    expect([reached('first'), reached('spread')]).toEqual([4, 8]);
  });

  it('have slots of their own, but for a few', () => {
    const lanes = Array.from({ length: 100 }, (_, i) =>
      lanePlaces('app', `store${i}`, { partitions: 8 }),
    ).flat();
    expect(new Set(lanes.map(({ keys }) => slotOf(keys.meta))).size).toBeGreaterThan(0.95 * lanes.length);
  });
});

it('a tag stays as it is for ever: what stands in Redis is found by it', () => {
  const tags = ['app:tasks/0', 'app:tasks/1', 'app:tasks/7', 'app:tasks/300', 'other:Orders_2/0'];
  const found = tags.map((tag) => {
    const [name, lane] = tag.split(':') as [string, string];
    return laneTag(name, lane, 'spread');
  });
  expect(found).toEqual([
    'app:tasks/0~7t',
    'app:tasks/1~5s',
    'app:tasks/7~jz',
    'app:tasks/300~2l',
    'other:Orders_2/0~29',
  ]);
  expect(laneTag('app', 'tasks/3', 'first')).toBe('app:tasks/3');
});
