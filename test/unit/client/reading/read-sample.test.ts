import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ReadSample } from '../../../../src/client/reading/read-sample.js';
import type { ForebayEvent } from '../../../../src/events.js';

const periodMs = 10_000;

let sent: Map<string, number>[];
let events: ForebayEvent[];
let answer: () => Promise<void>;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  events = [];
  answer = async () => undefined;
});

afterEach(() => vi.useRealTimers());

function sample(): ReadSample {
  const hottest = {
    add: async (_store: string, counts: ReadonlyMap<string, number>) => {
      sent.push(new Map(counts));
      await answer();
    },
  };
  return new ReadSample({
    store: 'pages',
    halfLifeMs: 1_000,
    hottest,
    emit: (event) => void events.push(event),
  });
}

function read(one: ReadSample, ids: readonly string[], times: number): void {
  for (let i = 0; i < times; i++) one.count(ids[i % ids.length] as string);
}

const total = (counts: ReadonlyMap<string, number> | undefined): number =>
  [...(counts?.values() ?? [])].reduce((sum, count) => sum + count, 0);

describe('a sample of reads', () => {
  it('counts each read while they are few, and sends the counts after a while', async () => {
    const one = sample();
    read(one, ['a', 'b'], 9);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(periodMs);
    expect(sent).toEqual([
      new Map([
        ['a', 5],
        ['b', 4],
      ]),
    ]);
    await one.close();
  });

  it('sends nothing when nothing was read', async () => {
    const one = sample();
    await vi.advanceTimersByTimeAsync(5 * periodMs);
    await one.close();
    expect(sent).toEqual([]);
  });

  it('sends what is left when it is closed', async () => {
    const one = sample();
    read(one, ['a'], 3);
    await one.close();
    expect(sent).toEqual([new Map([['a', 3]])]);
  });

  it('counts about as many reads as there are, of any number and in any cycle', async () => {
    const cycles = fc.integer({ min: 1, max: 50 });
    const many = fc.integer({ min: 200_000, max: 400_000 });
    await fc.assert(
      fc.asyncProperty(cycles, many, async (length, reads) => {
        sent = [];
        const one = sample();
        const ids = Array.from({ length }, (_, i) => `id ${i}`);
        read(one, ids, reads);
        await vi.advanceTimersByTimeAsync(periodMs);
        read(one, ids, reads);
        await one.close();
        expect(total(sent[1]) / reads).toBeGreaterThan(0.9);
        expect(total(sent[1]) / reads).toBeLessThan(1.1);
        expect(sent[1]?.size).toBe(length);
      }),
      { numRuns: 20 },
    );
  });

  it('counts each read again as soon as a period had few', async () => {
    const one = sample();
    for (let round = 0; round < 20; round++) {
      read(one, ['busy'], 200_000);
      await vi.advanceTimersByTimeAsync(2 * periodMs);
      sent = [];
      read(one, ['quiet'], 3);
      await vi.advanceTimersByTimeAsync(periodMs);
      expect(sent).toEqual([new Map([['quiet', 3]])]);
    }
    await one.close();
  });

  it('keeps 10,000 ids at most, whatever Redis does', async () => {
    answer = () => new Promise(() => undefined);
    const one = sample();
    read(
      one,
      Array.from({ length: 50_000 }, (_, i) => `id ${i}`),
      50_000,
    );
    expect(sent).toHaveLength(1);
    expect(sent[0]?.size).toBe(10_000);
  });

  it('tells when counts could not be sent, and goes on', async () => {
    answer = async () => {
      throw new Error('no Redis');
    };
    const one = sample();
    read(one, ['a'], 1);
    await vi.advanceTimersByTimeAsync(periodMs);
    expect(events).toEqual([{ type: 'reads.unsent', store: 'pages', error: new Error('no Redis') }]);
    answer = async () => undefined;
    read(one, ['b'], 1);
    await one.close();
    expect(sent.at(-1)).toEqual(new Map([['b', 1]]));
  });
});
