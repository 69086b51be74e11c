/** How many lanes a store has, as text; and what a lane is told of it. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type Layout, layoutText, markOf, parseLaneMark, parseLayout } from '../../../src/buffer/layout.js';

const partitions = fc.integer({ min: 1, max: 1_024 });
const epoch = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 1_700_000_000_000_000, max: Number.MAX_SAFE_INTEGER }),
);
const layouts = fc.record<Layout, 'partitions' | 'tags' | 'epoch'>(
  {
    partitions,
    tags: fc.constantFrom('first', 'spread'),
    epoch,
    next: fc.record({ partitions, epoch, until: epoch }),
  },
  { requiredKeys: ['partitions', 'tags', 'epoch'] },
);

test('a layout is the same once it was text', () => {
  fc.assert(
    fc.property(layouts, (layout) => {
      expect(parseLayout(layoutText(layout))).toEqual(layout);
    }),
  );
});

test.each([
  ['8', { partitions: 8, tags: 'first', epoch: 0 }],
  ['8 spread', { partitions: 8, tags: 'spread', epoch: 0 }],
])('what earlier versions have written is understood: %s', (text, layout) => {
  expect(parseLayout(text)).toEqual(layout);
  expect(layoutText(parseLayout(text))).toBe(text);
});

describe('what a caller says of a number', () => {
  it.each([
    [{ partitions: 8, epoch: 17 }, 8, '8.17'],
    [{ partitions: 8, epoch: 0 }, 8, '8'],
    [{ partitions: 8, epoch: 0 }, 4, '8!'],
  ])('%j, of a definition with %i, is %s', (layout, defined, mark) => {
    expect(markOf(layout, defined)).toBe(mark);
  });
});

describe('what a lane says', () => {
  it.each([
    [null, undefined],
    ['8', { partitions: 8, epoch: 0, state: 'open' }],
    ['8.17', { partitions: 8, epoch: 17, state: 'open' }],
    ['8.17 closed', { partitions: 8, epoch: 17, state: 'closed' }],
    ['8.17 moved', { partitions: 8, epoch: 17, state: 'moved' }],
  ])('%j is %j', (text, mark) => {
    expect(parseLaneMark(text)).toEqual(mark);
  });
});
