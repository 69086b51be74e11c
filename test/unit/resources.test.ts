/** What is open is closed in reverse, each within its deadline, whatever happens to the others. */
import fc from 'fast-check';
import { ReplyError } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ForebayEvent } from '../../src/events.js';
import { Resources, withResources } from '../../src/resources.js';

let events: ForebayEvent[];
let resources: Resources;

beforeEach(() => {
  events = [];
  resources = new Resources((event) => events.push(event));
});

const isFailed = (what: string) => ({ type: 'close.failed', what, error: expect.any(Error) });

describe('resources', () => {
  it('give back what they were given', () => {
    const value = { a: 1 };
    expect(resources.own('value', value, () => undefined)).toBe(value);
  });

  it.each([
    [new Error('Connection is closed.'), 'REDIS_UNAVAILABLE'],
    [new Error("Stream isn't writeable and enableOfflineQueue options is false"), 'REDIS_UNAVAILABLE'],
    [new Error('Socket timeout. Expecting data, but got none in 1000ms.'), 'REDIS_UNAVAILABLE'],
    [new ReplyError('LOADING Redis is loading the dataset in memory'), 'REDIS_REFUSED'],
    [new TypeError('x is not a function'), undefined],
  ])('that could not be made for %s say %s', async (error, code) => {
    const made = await new Resources(() => undefined)
      .construct(() => Promise.reject(error), 100)
      .catch((it) => it);
    expect(made).toMatchObject(code === undefined ? { message: error.message } : { code, cause: error });
  });

  it('that have all the time of the world are waited for', async () => {
    let isClosed = false;
    resources.own('slow', 0, async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      isClosed = true;
    });
    await resources.close(Number.POSITIVE_INFINITY);
    expect([isClosed, events]).toEqual([true, []]);
  });

  it('are closed in reverse, one after the other, however each of them ends', async () => {
    const endings = fc.array(fc.constantFrom('sync', 'async', 'throws', 'rejects'), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(endings, async (kinds) => {
        const log: string[] = [];
        const told: ForebayEvent[] = [];
        const all = new Resources((event) => told.push(event));
        for (const [i, kind] of kinds.entries()) {
          all.own(String(i), kind, () => {
            log.push(`${i} begins`);
            if (kind === 'throws') throw new Error('x');
            if (kind === 'sync') return undefined;
            return Promise.resolve().then(() => {
              log.push(`${i} ends`);
              if (kind === 'rejects') throw new Error('y');
            });
          });
        }
        await all.close(1_000);
        const expected = kinds
          .map((kind, i) =>
            kind === 'throws' || kind === 'sync' ? [`${i} begins`] : [`${i} begins`, `${i} ends`],
          )
          .reverse();
        expect(log).toEqual(expected.flat());
        const failed = kinds.flatMap((kind, i) => (/s$/.test(kind) ? [isFailed(String(i))] : [])).reverse();
        expect(told).toEqual(failed);
      }),
    );
  });

  it('are closed once', async () => {
    let count = 0;
    resources.own('a', undefined, () => {
      count += 1;
    });
    await Promise.all([resources.close(1_000), resources.close(1_000)]);
    await resources.close(1_000);
    expect(count).toBe(1);
  });

  it('are all closed when a listener throws', async () => {
    const log: string[] = [];
    const all = new Resources(() => {
      throw new Error('listener');
    });
    all.own('a', undefined, () => log.push('a'));
    all.own('b', undefined, () => Promise.reject(new Error('b')));
    await expect(all.close(1_000)).rejects.toThrow('listener');
    expect(log).toEqual(['a']);
  });

  it('that come when all is closed are closed at once, and refused', async () => {
    const log: string[] = [];
    await resources.close(1_000);
    expect(() => resources.own('late', undefined, () => log.push('late'))).toThrow('closed');
    await resources.close(1_000);
    expect(log).toEqual(['late']);
  });

  it('that were made by a construction that fails are closed', async () => {
    const log: string[] = [];
    const construction = resources.construct(async () => {
      resources.own('a', undefined, () => log.push('a'));
      throw new Error('no b');
    }, 1_000);
    await expect(construction).rejects.toThrow('no b');
    expect(log).toEqual(['a']);
  });

  it('of a command end with it, also when it fails', async () => {
    const log: string[] = [];
    const use = (isFailing: boolean) =>
      withResources(
        () => undefined,
        1_000,
        async (all) => {
          all.own('a', undefined, () => log.push('a'));
          if (isFailing) throw new Error('failed');
          return 'done';
        },
      );
    expect(await use(false)).toBe('done');
    await expect(use(true)).rejects.toThrow('failed');
    expect(log).toEqual(['a', 'a']);
  });
});

describe('the deadline', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const never = new Promise(() => undefined);

  it('of one that does not end is told, and holds up nobody', async () => {
    let isClosed = false;
    resources.own('a', undefined, () => {
      isClosed = true;
    });
    resources.own('b', undefined, () => never, 300);
    const closing = resources.close(10_000);
    await vi.advanceTimersByTimeAsync(350);
    await closing;
    expect(isClosed).toBe(true);
    expect(events).toEqual([isFailed('b')]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('of all leaves something for each', async () => {
    const given: number[] = [];
    for (let i = 0; i < 5; i++) {
      resources.own(String(i), i, (_, ms) => {
        given.push(ms);
        return never;
      });
    }
    const closing = resources.close(10_000);
    await vi.advanceTimersByTimeAsync(10_500);
    await closing;
    expect(given).toHaveLength(5);
    expect(Math.min(...given)).toBeGreaterThan(0);
    expect(given[0]).toBeGreaterThan(5_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});
