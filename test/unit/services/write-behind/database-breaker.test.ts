/** The breaker for the database: what opens it, who waits, and what reaches the database meanwhile. */
import pLimit from 'p-limit';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ForebayEvent } from '../../../../src/events.js';
import { DatabaseBreaker } from '../../../../src/services/write-behind/database-breaker.js';

const connections = 4;

let events: ForebayEvent[];
let probes: number;
let works: number;
/** How many works are under way, and the most that ever were. */
let atOnce: { now: number; max: number };
let isAway: boolean;
let stopping: AbortController;
let breaker: DatabaseBreaker;

beforeEach(() => {
  events = [];
  probes = 0;
  works = 0;
  atOnce = { now: 0, max: 0 };
  isAway = false;
  stopping = new AbortController();
  breaker = new DatabaseBreaker({
    probe: async () => {
      probes += 1;
      if (isAway) throw refused();
    },
    emit: (event) => events.push(event),
    limit: pLimit(connections),
    signal: stopping.signal,
  });
});

const refused = (): Error => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
const deadlock = (): Error => Object.assign(new Error('deadlock detected'), { meta: { code: '40P01' } });
const types = (): string[] => events.map(({ type }) => type);
const eventually = (probed: number) => expect.poll(() => probes, { interval: 5 }).toBeGreaterThan(probed);

async function work(): Promise<string> {
  works += 1;
  atOnce.now += 1;
  atOnce.max = Math.max(atOnce.max, atOnce.now);
  await new Promise((resolve) => setTimeout(resolve, 2));
  atOnce.now -= 1;
  if (isAway) throw refused();
  return 'done';
}

/** As many works as there are lanes, all at once; the database is away. */
async function openWith(lanes: number): Promise<Promise<string>[]> {
  isAway = true;
  const waiting = Array.from({ length: lanes }, () => breaker.run(work));
  for (const one of waiting) one.catch(() => undefined);
  await eventually(2);
  return waiting;
}

describe('while the database answers', () => {
  it('work is done, as many at once as there are connections', async () => {
    const done = await Promise.all(Array.from({ length: 20 }, () => breaker.run(work)));
    expect(new Set(done)).toEqual(new Set(['done']));
    expect(atOnce.max).toBe(connections);
    expect(probes).toBe(0);
  });

  it('a failure of its own making is thrown after one probe, and opens nothing', async () => {
    await expect(breaker.run(() => Promise.reject(deadlock()))).rejects.toThrow('deadlock');
    expect(probes).toBe(1);
    expect(types()).toEqual([]);
  });

  it('a failure for the rows is thrown without a probe', async () => {
    const violation = Object.assign(new Error('check'), { meta: { code: '23514' } });
    await expect(breaker.run(() => Promise.reject(violation))).rejects.toThrow('check');
    expect(probes).toBe(0);
  });
});

describe('while the database is away', () => {
  it('nothing but probes reaches for it, and all that waited is done when it is back', async () => {
    const waiting = await openWith(50);
    const tried = works;
    expect(tried).toBeLessThanOrEqual(connections);
    waiting.push(breaker.run(work));
    await eventually(probes + 1);
    expect(works).toBe(tried);
    isAway = false;
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['done']));
    expect(works).toBe(tried + 51);
    expect(atOnce.max).toBe(connections);
  });

  it('it is told once, with the error, and once that it is back, with how long it was away', async () => {
    const waiting = await openWith(10);
    isAway = false;
    await Promise.all(waiting);
    expect(events).toMatchObject([
      { type: 'database.away', error: { code: 'ECONNREFUSED' } },
      { type: 'database.back', ms: expect.any(Number) },
    ]);
  });

  it('probes come one at a time, and less often the longer it takes', async () => {
    const startedAt = performance.now();
    await openWith(10);
    await eventually(4);
    // One at once, then after at least half of 50, 100, 200 and 400 ms.
    expect(performance.now() - startedAt).toBeGreaterThan(375);
    stopping.abort();
  });

  it('work that is to stop ends at once, and so do the probes', async () => {
    const waiting = await openWith(50);
    stopping.abort();
    const outcomes = await Promise.allSettled(waiting);
    expect(outcomes.map((one) => one.status === 'rejected' && (one.reason as Error).name)).toEqual(
      Array(50).fill('DatabaseAway'),
    );
    const probed = probes;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(probes).toBeLessThanOrEqual(probed + 1);
    expect(types()).toEqual(['database.away']);
  });

  it('it is found out too by work that never ends', async () => {
    let end = (_: string): void => undefined;
    const frozen = new Promise<string>((resolve) => {
      end = resolve;
    });
    isAway = true;
    const waiting = breaker.run(() => frozen);
    await expect.poll(() => types()).toEqual(['database.away']);
    isAway = false;
    expect(await breaker.run(work)).toBe('done');
    end('thawed');
    expect(await waiting).toBe('thawed');
  });

  it('work is given back after 5 s, for another worker may reach the database', async () => {
    isAway = true;
    await expect(breaker.run(work)).rejects.toMatchObject({ name: 'DatabaseAway' });
    expect(works).toBe(1);
    stopping.abort();
  });
});
