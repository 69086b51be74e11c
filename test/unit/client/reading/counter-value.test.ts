/** A counter's value, put together from two looks: at the lane, then at the row. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CountersClaim, PendingCounter } from '../../../../src/buffer/step-replies.js';
import { counterValue, isOvertaken } from '../../../../src/client/reading/counter-port.js';
import type { LoadedCounters } from '../../../../src/database/load.js';
import type { CounterStore, RecordStore } from '../../../../src/definitions/stores.js';
import { idKey, LaneModel, type Step } from './lane-model.js';

type Options = ConstructorParameters<typeof LaneModel>[0];

const delta = fc.bigInt({ min: -3n, max: 3n });
const stepsOf = (counts: fc.Arbitrary<number>): fc.Arbitrary<Step[]> => {
  const single = fc.constantFrom('put', 'delete', 'apply', 'ack').map((step) => ({ do: step }) as Step);
  const add = delta.map((value): Step => ({ do: 'add', delta: value }));
  const seal = counts.map((count): Step => ({ do: 'seal', count }));
  return fc.array(fc.oneof({ weight: 2, arbitrary: single }, add, seal), { maxLength: 14, size: 'max' });
};
/** Batches that take all that is dirty, and batches that are full before. */
const whole = stepsOf(fc.constant(Infinity));
const parts = stepsOf(fc.constantFrom(1, 2));

const ofRecord = fc.record({
  initial: fc.constantFrom(0n, 5n),
  hasRecord: fc.constant(true),
  row: fc.constantFrom(undefined, 7n),
});
const alone = fc.record({
  initial: fc.constantFrom(0n, 5n),
  hasRecord: fc.constant(false),
  row: fc.constantFrom(undefined, 7n),
});

/** Looks at the lane after each step, and at the row after each step from there on. */
function checkAllLooks(options: Options, steps: readonly Step[], check: (look: Look) => void): void {
  const model = new LaneModel(options);
  const looks: Pick<Look, 'claimed' | 'value'>[] = [];
  for (const step of [undefined, ...steps]) {
    if (step) model.take(step);
    looks.push({ claimed: model.claim(), value: model.value });
    const loaded = model.load();
    for (const [i, look] of looks.entries()) check({ ...look, loaded, isAtOnce: i === looks.length - 1 });
  }
}

interface Look {
  readonly claimed: CountersClaim;
  readonly loaded: LoadedCounters;
  /** What the counter was when the lane was looked at. */
  readonly value: bigint | undefined;
  /** No step came between the two looks. */
  readonly isAtOnce: boolean;
}

function readValue(options: Options, { claimed, loaded }: Look): bigint | undefined {
  const store = { initial: options.initial, ...(options.hasRecord ? { record: {} as RecordStore } : {}) };
  return counterValue(store, claimed, claimed.counters[0] as PendingCounter, loaded, idKey);
}

/** Right, or known to be overtaken by a batch, which only a step between the two looks can do. */
function expectRight(options: Options, look: Look, orNone?: bigint): void {
  if (isOvertaken(look.claimed, look.loaded)) expect(look.isAtOnce).toBe(false);
  else expect(readValue(options, look) ?? orNone).toBe(look.value ?? orNone);
}

/** The delta of the new row keeps the place that the old row's delta had: before the row's replacement. */
const countedAfterReplacement: Step[] = [
  { do: 'add', delta: 1n },
  { do: 'delete' },
  { do: 'put' },
  { do: 'add', delta: 3n },
  { do: 'seal', count: 1 },
];

const runs = { numRuns: 2_000 };

describe('whatever came between the two looks, the value is right or known to be overtaken', () => {
  it('for a counter of a record, when batches take the whole lane', () => {
    fc.assert(
      fc.property(ofRecord, whole, (options, steps) => {
        checkAllLooks(options, steps, (look) => expectRight(options, look));
      }),
      runs,
    );
  });

  it('for a counter of a record, when batches take only the oldest', () => {
    fc.assert(
      fc.property(ofRecord, parts, (options, steps) => {
        checkAllLooks(options, steps, (look) => expectRight(options, look));
      }),
      { ...runs, examples: [[{ initial: 0n, hasRecord: true, row: 7n }, countedAfterReplacement]] },
    );
  });

  // Deltas that add up to nothing make no row: then the value is null, or what a new row starts from.
  it('for a counter alone, where no row is as good as a new one', () => {
    fc.assert(
      fc.property(alone, parts, (options, steps) => {
        checkAllLooks(options, steps, (look) => expectRight(options, look, options.initial));
      }),
      runs,
    );
  });
});

describe('a look', () => {
  const nothing: PendingCounter = {
    dirtyDelta: 0n,
    sealedDelta: 0n,
    dirtyRecord: '',
    sealedRecord: '',
  };
  const store: Pick<CounterStore, 'initial' | 'record'> = { initial: 5n, record: {} as RecordStore };
  const row = (value: bigint, batch?: bigint): LoadedCounters => ({
    batch,
    values: new Map([[idKey, value]]),
  });
  const noRow: LoadedCounters = { batch: undefined, values: new Map() };

  it('adds a sealed delta exactly until the ledger says that the row has it', () => {
    const pending = { ...nothing, sealedDelta: 2n, dirtyDelta: 1n };
    expect(counterValue(store, { sealed: 3n }, pending, row(10n), idKey)).toBe(13n);
    expect(counterValue(store, { sealed: 3n }, pending, row(10n, 2n), idKey)).toBe(13n);
    expect(counterValue(store, { sealed: 3n }, pending, row(12n, 3n), idKey)).toBe(13n);
    expect(
      counterValue(store, { sealed: undefined }, { ...nothing, dirtyDelta: 1n }, row(12n, 3n), idKey),
    ).toBe(13n);
  });

  it('of a batch that was found void is not in the row, though later ones were applied', () => {
    const pending = { ...nothing, sealedDelta: 2n, dirtyDelta: 1n };
    const loaded = { ...row(10n, 7n), voids: new Set([3n]) };
    expect(counterValue(store, { sealed: 3n }, pending, loaded, idKey)).toBe(13n);
    expect(counterValue(store, { sealed: 4n }, pending, loaded, idKey)).toBe(11n);
  });

  it('finds nothing where there is no row and none is on its way', () => {
    expect(counterValue(store, { sealed: undefined }, nothing, noRow, idKey)).toBeUndefined();
    const deleted: PendingCounter = { ...nothing, dirtyRecord: 'D', sealedRecord: 'P', sealedDelta: 4n };
    expect(counterValue(store, { sealed: 3n }, deleted, row(10n), idKey)).toBeUndefined();
  });

  it('begins a row that is made anew with its default', () => {
    expect(
      counterValue(store, { sealed: undefined }, { ...nothing, dirtyRecord: 'R' }, row(10n), idKey),
    ).toBe(5n);
    const put: PendingCounter = { ...nothing, dirtyRecord: 'P', dirtyDelta: 2n };
    expect(counterValue(store, { sealed: undefined }, put, noRow, idKey)).toBe(7n);
  });

  it('counts in a row that is put what was added since the deletion that is sealed', () => {
    const added: PendingCounter = { dirtyDelta: 2n, sealedDelta: 4n, dirtyRecord: 'P', sealedRecord: 'D' };
    expect(counterValue(store, { sealed: 3n }, added, row(10n), idKey)).toBe(11n);
  });

  it('is overtaken when the row holds a batch that was sealed after it', () => {
    const claimed = (batch: bigint | undefined): CountersClaim => ({
      batch,
      sealed: undefined,
      counters: [],
    });
    expect(isOvertaken(claimed(3n), row(0n, 4n))).toBe(true);
    expect(isOvertaken(claimed(undefined), row(0n, 4n))).toBe(true);
    expect(isOvertaken(claimed(3n), row(0n, 3n))).toBe(false);
    expect(isOvertaken(claimed(3n), row(0n))).toBe(false);
    expect(isOvertaken(claimed(undefined), noRow)).toBe(false);
  });
});
