/** The flush of one lane alone: its steps and their order, with a buffer, a database and a persister that do as they are told. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseBatch } from '../../../../src/buffer/batch.js';
import { type Lane, Lanes } from '../../../../src/buffer/lane.js';
import type { SealOptions, SealReply } from '../../../../src/buffer/seal-reply.js';
import { record } from '../../../../src/definitions/record.js';
import { defineStores } from '../../../../src/definitions/stores.js';
import { ForebayError } from '../../../../src/errors.js';
import type { ForebayEvent } from '../../../../src/events.js';
import { RetryLater } from '../../../../src/services/role/retry.js';
import { DatabaseAway } from '../../../../src/services/write-behind/database-breaker.js';
import { LaneFlush, type LaneFlushDependencies } from '../../../../src/services/write-behind/lane-flush.js';
import { patient } from '../../../support/patient.js';

const stores = defineStores({
  things: record({
    id: 'id',
    partitions: 1,
    load: async () => [] as { id: string }[],
    persist: async () => undefined,
  }),
});
const lane = new Lanes(stores, 'test').all[0] as Lane;

const batch = (number: string): SealReply => ({
  kind: 'batch',
  batch: parseBatch(lane.name, lane.group, number, ['things:a', 'P1|{"id":"a"}', 'things:b', 'D2|']),
});
const empty: SealReply = { kind: 'empty' };

/** What is done, in its order. */
let steps: string[];
let events: ForebayEvent[];
let sealed: SealReply[];
/** What becomes of the batches, in their order: what the ledger says, or an error of the write. Default: applied. */
let fates: ('skipped' | 'void' | Error)[];
let isAcked: boolean;
let failures: number;
/** Of the lane after a batch. */
let restMs: number;
/** How many records became dead letters. */
let splits: (number | Error)[];
/** The lane's generation that was compared. */
let compared: string;
let ledgerAway: Error | undefined;
let flush: LaneFlush;

beforeEach(() => {
  steps = [];
  events = [];
  fates = [];
  splits = [];
  isAcked = true;
  restMs = 0;
  failures = 1;
  compared = 'now';
  ledgerAway = undefined;
  flush = new LaneFlush({
    isPaused: async () => false,
    buffer: {
      seal: async (_: Lane, { floor, staysMs }: SealOptions) => {
        steps.push(`seal above ${floor}${staysMs ? ', stays' : ''}`);
        if (compared !== 'now') return { kind: 'uncompared' };
        const reply = sealed.shift() ?? empty;
        await nextTurn(); // Redis is asked
        return reply;
      },
      ack: async (_: Lane, number: string) => {
        steps.push(`ack ${number}`);
        return isAcked;
      },
      postpone: async (_: Lane, number: string) => {
        steps.push(`postpone ${number}`);
        return { waitMs: 100, failures };
      },
    },
    database: { $transaction: (work: (tx: object) => Promise<unknown>) => transact(work) },
    persisterOf: () => ({
      write: async ({ number }: { number: string }) => {
        steps.push(`write ${number}`);
        const fate = fates.shift();
        if (fate instanceof Error) throw fate;
      },
      findOvertaken: async () => new Map(),
      findDiffering: async () => new Map(),
      certainFields: () => [],
    }),
    prefix: 'test',
    emit: (event: ForebayEvent) => events.push(event),
    breaker: { run: (work: () => Promise<unknown>) => work() },
    sizeOf: () => ({
      limits: { recordsMax: 500, delayMs: 25 },
      applied: () => undefined,
      restMs: () => restMs,
    }),
    ledger: {
      floorOf: () => 7n,
      comparedOf: () => compared,
      compareOnce: async () => {
        steps.push('compare once');
        if (ledgerAway) throw ledgerAway;
        compared = 'now';
      },
      applied: (_: Lane, number: bigint) => steps.push(`applied ${number}`),
      compare: async () => void steps.push('compare'),
    },
    marks: {
      hold: (_: Lane, number: string) => steps.push(`hold ${number}`),
      release: () => steps.push('release'),
    },
    split: {
      run: async (_: Lane, { number }: { number: string }, isRefused: boolean) => {
        steps.push(`split ${number}${isRefused ? ', refused' : ''}`);
        const done = splits.shift() ?? 0;
        if (done instanceof Error) throw done;
        return done;
      },
    },
  } as unknown as LaneFlushDependencies);
});

/** Resolves once the lane is being looked at. */
async function looks(): Promise<void> {
  while (steps.length === 0) await Promise.resolve();
}

/** The ledger advances, unless the fate says that the number was applied before, or is void. */
function transact(work: (tx: object) => Promise<unknown>): Promise<unknown> {
  const known = typeof fates[0] === 'string' ? fates.shift() : undefined;
  return work({
    $executeRawUnsafe: async () => (known === undefined ? 1 : 0),
    $queryRawUnsafe: async () => (known === 'void' ? [{}] : []),
  });
}

const run = (signal = new AbortController().signal, isHurry = false) =>
  flush.run(lane, { signal, isHurry, onProgress: async () => undefined });
const typesOf = () => events.map(({ type }) => type);
const databaseError = (code: string): Error => Object.assign(new Error('refused'), { meta: { code } });

describe('a lane', () => {
  it('is flushed batch by batch until it is empty: hold, write, ack, release', async () => {
    sealed = [batch('8'), batch('9')];
    expect(await run()).toMatchObject({ batches: 2, rows: 4, skipped: 0, refused: 0, againInMs: undefined });
    const one = (number: number) => [
      'seal above 7',
      `hold ${number}`,
      `write ${number}`,
      `applied ${number}`,
      `ack ${number}`,
      'release',
    ];
    expect(steps).toEqual([...one(8), ...one(9), 'seal above 7, stays']);
    const told = ['batch.sealed', 'batch.written', 'batch.applied', 'batch.acked'];
    expect(typesOf()).toEqual([...told, ...told]);
  });

  it('is waited for when its records come of age soon, else left with the time of the next job', async () => {
    sealed = [{ kind: 'wait', waitMs: 1 }, batch('8'), { kind: 'wait', waitMs: 5_000 }];
    expect(await run()).toMatchObject({ batches: 1, againInMs: 5_000 });
  });

  it('rests after a batch, which ends when somebody hurries; a long rest is the next job’s', async () => {
    sealed = [batch('8'), batch('9')];
    restMs = 400;
    const startedAt = performance.now();
    const first = run();
    await expect.poll(() => steps).toContain('ack 8');
    restMs = 5_000;
    await run(undefined, true);
    expect(await first).toMatchObject({ batches: 2, againInMs: 5_000 });
    expect(performance.now() - startedAt).toBeLessThan(400);
  });

  it('that was busy is looked at five times more when it is empty, without a job, and five after each batch', async () => {
    const stay: SealReply = { kind: 'wait', waitMs: 1 };
    const stays = Array.from({ length: 5 }, () => stay);
    sealed = [batch('8'), batch('9'), stay, stay, batch('10'), ...stays];
    expect(await run()).toMatchObject({ batches: 3, againInMs: undefined });
    const looks = steps.filter((step) => step.startsWith('seal')).map((step) => step.endsWith('stays'));
    expect(looks).toEqual([false, false, true, true, true, ...stays.map(() => true), false]);
  });

  it('is left at once when the worker is to stop, and asks for another job', async () => {
    sealed = [batch('8')];
    const stop = new AbortController();
    stop.abort();
    expect(await run(stop.signal)).toMatchObject({ batches: 0, againInMs: 0 });
    expect(steps).toEqual([]);
  });
});

describe('a lane of a new generation', () => {
  it('is compared with the ledger before its first batch', async () => {
    compared = 'before';
    sealed = [batch('8')];
    expect(await run()).toMatchObject({ batches: 1 });
    expect(steps.slice(0, 4)).toEqual(['seal above 7', 'compare once', 'seal above 7', 'hold 8']);
  });

  it('is tried again when the ledger can’t be read', async () => {
    compared = 'before';
    ledgerAway = new DatabaseAway('away');
    sealed = [batch('8')];
    await expect(run()).rejects.toBeInstanceOf(RetryLater);
    expect(steps).toEqual(['seal above 7', 'compare once']);
  });
});

describe('a job of a lane that is being flushed', () => {
  it('joins that flush, which looks once more, and asks for the next job in its place', async () => {
    sealed = [{ kind: 'wait', waitMs: 5_000 }, batch('8'), { kind: 'wait', waitMs: 5_000 }];
    const hurried = run(undefined, true);
    await looks();
    expect(await run()).toBeUndefined();
    expect(await hurried).toMatchObject({ batches: 1, againInMs: 5_000 });
  });

  it('that hurries leaves the next job to the lane’s own', async () => {
    sealed = [{ kind: 'wait', waitMs: 5_000 }];
    expect(await run(undefined, true)).toMatchObject({ againInMs: undefined });
  });

  it('ends the wait for records to come of age', async () => {
    sealed = [{ kind: 'wait', waitMs: 60_000 }, batch('8')];
    const first = run();
    await looks();
    const startedAt = performance.now();
    await run(undefined, true);
    expect(await first).toMatchObject({ batches: 1 });
    expect(performance.now() - startedAt).toBeLessThan(patient(400));
  });
});

describe('a batch', () => {
  it('that was applied before is acknowledged only, and the lane is compared with the ledger', async () => {
    sealed = [batch('8')];
    fates = ['skipped'];
    expect(await run()).toMatchObject({ batches: 1, rows: 0, skipped: 1 });
    expect(steps).toEqual([
      'seal above 7',
      'hold 8',
      'applied 8',
      'ack 8',
      'compare',
      'release',
      'seal above 7',
    ]);
  });

  it('that another worker has acknowledged is told as late', async () => {
    sealed = [batch('8')];
    isAcked = false;
    await run();
    expect(typesOf()).toEqual(['batch.sealed', 'batch.written', 'batch.applied', 'batch.late']);
  });

  it('that is void already is split', async () => {
    sealed = [batch('8')];
    fates = ['void'];
    splits = [1];
    expect(await run()).toMatchObject({ batches: 1, rows: 0, refused: 1 });
    expect(steps).toContain('split 8');
    expect(steps).not.toContain('ack 8');
  });

  it.each(['23514', '22001', '21000', 'P0001'])(
    'that the database refuses with %s is split at once',
    async (code) => {
      sealed = [batch('8')];
      fates = [databaseError(code)];
      await run();
      expect(steps).toEqual([
        'seal above 7',
        'hold 8',
        'write 8',
        'split 8, refused',
        'release',
        'seal above 7',
      ]);
    },
  );

  it.each([
    ['unavailable', '40P01'],
    ['not-yet', '23503'],
  ])('that fails as %s stays sealed, and its job is tried again', async (reason, code) => {
    sealed = [batch('8')];
    fates = [databaseError(code)];
    await expect(run()).rejects.toBeInstanceOf(RetryLater);
    expect(steps).toEqual(['seal above 7', 'hold 8', 'write 8', 'postpone 8', 'release']);
    expect(events.at(-1)).toMatchObject({ type: 'batch.failed', lane: lane.name, number: '8', reason });
  });

  it.each([
    ['misses a parent for the third time', '23503', 3],
    ['fails for the fourth time, with what is no record’s fault as a rule', '55000', 4],
  ])('that %s is split, so that the others go on', async (_, code, times) => {
    sealed = [batch('8')];
    fates = [databaseError(code)];
    failures = times;
    await run();
    expect(steps).toContain('split 8');
  });

  it('stays sealed while the database is away, and the lane is handed back', async () => {
    sealed = [batch('8')];
    fates = [new DatabaseAway('away')];
    expect(await run()).toMatchObject({ batches: 0, againInMs: 0 });
    expect(steps).toEqual(['seal above 7', 'hold 8', 'write 8', 'release']);
  });

  it('that can’t be split for want of room for dead letters holds the lane up, and says so', async () => {
    sealed = [batch('8')];
    fates = [databaseError('23514')];
    splits = [new ForebayError('DEAD_LETTERS_FULL', 'Full.', { retryable: true })];
    await expect(run()).rejects.toBeInstanceOf(RetryLater);
    expect(events.at(-1)).toMatchObject({ type: 'batch.failed', reason: 'refused' });
    expect(steps.slice(-2)).toEqual(['postpone 8', 'release']);
  });
});
