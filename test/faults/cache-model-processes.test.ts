/** What test/integration/cache-model.test.ts says, of processes: whose clocks differ by an hour, and that are killed and paused. */
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ParticipantOptions } from '../processes/messages.js';
import { CacheModel, type Step, steps, whom } from '../support/cache-model.js';
import { ParticipantError, ParticipantProcess } from '../support/cache-participant-process.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { HeldLoader } from '../support/loader.js';

const hourMs = 3_600_000;
const kinds: ParticipantOptions[] = [
  { hasMemory: true, clockSkewMs: 0 },
  { hasMemory: true, clockSkewMs: hourMs },
  { hasMemory: false, clockSkewMs: -hourMs },
];
/** A lease lasts a second longer. */
const loadTimeoutMs = 1_000;
const longerThanLeaseMs = 2_200;

let environment: Environment;
let processes: ParticipantProcess[];
/** Those that are about to take the place of others. */
let starting: Promise<void>[] = [];

beforeAll(async () => {
  environment = await createEnvironment();
  processes = await Promise.all(kinds.map((kind) => ParticipantProcess.start(environment, kind)));
});

afterAll(async () => {
  await Promise.all(processes.map((one) => one.kill()));
  await environment.close();
});

const at = (i: number): ParticipantProcess => processes[i] as ParticipantProcess;

/** What is under way in it is lost; another takes its place some time later. */
async function kill(model: CacheModel, i: number): Promise<void> {
  await model.changesEnd(); // of a change that was not accepted nothing is promised
  if (!at(i).isRunning) return;
  await at(i).kill();
  model.lose(i);
  starting.push(replace(i));
}

async function replace(i: number): Promise<void> {
  processes[i] = await ParticipantProcess.start(environment, kinds[i] as ParticipantOptions);
}

async function pause(model: CacheModel, i: number): Promise<void> {
  await model.changesEnd();
  if (!at(i).isRunning) return;
  model.setLate(i, true);
  at(i).pause();
}

async function resumeAll(model: CacheModel): Promise<void> {
  for (const [i, one] of processes.entries()) {
    if (!one.isPaused) continue;
    one.resume();
    await one.reachLoads();
    model.setLate(i, false);
  }
}

const faults: fc.WeightedArbitrary<Step>[] = [
  {
    weight: 1,
    arbitrary: whom.map((i) => ({ name: `${i} is killed`, take: (model) => kill(model, i) })),
  },
  {
    weight: 2,
    arbitrary: whom.map((i) => ({ name: `${i} is paused`, take: (model) => pause(model, i) })),
  },
  { weight: 2, arbitrary: fc.constant({ name: 'the paused go on', take: resumeAll }) },
  {
    weight: 1,
    arbitrary: fc.constant({ name: 'leases end', take: () => wait(longerThanLeaseMs) }),
  },
];

let runs = 0;

function createModel(options: { loadTimeoutMs: number; mayFail: (error: unknown) => boolean }): CacheModel {
  return new CacheModel({ ...options, name: `${++runs}`, environment, participants: processes });
}

async function end(model: CacheModel): Promise<void> {
  await resumeAll(model);
  await Promise.all(starting);
  starting = [];
  await model.settle();
  expect(model.violations).toEqual([]);
  await model.expectTruthEverywhere();
}

describe('of three processes, no read is older than its last accepted change, nothing stale stays, one loads', () => {
  it('whatever their clocks say', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(...steps), { maxLength: 40, size: 'max' }), async (taken) => {
        const model = createModel({ loadTimeoutMs: 10_000, mayFail: () => false });
        for (const { take } of taken) await take(model);
        await end(model);
      }),
      { numRuns: Number(process.env.CACHE_MODEL_RUNS ?? 50) },
    );
  });

  it('also when they are killed and paused', async () => {
    const some = fc.array(fc.oneof(...steps), { maxLength: 12, size: 'max' });
    const fault = fc.oneof(...faults);
    const mayFail = (error: unknown) =>
      error instanceof ParticipantError && ['GONE', 'LOAD_TIMEOUT'].includes(error.code);
    await fc.assert(
      fc.asyncProperty(some, fault, some, fault, some, async (first, one, second, other, third) => {
        const model = createModel({ loadTimeoutMs, mayFail });
        for (const { take } of [...first, one, ...second, other, ...third]) await take(model);
        await end(model);
      }),
      { numRuns: Number(process.env.CACHE_MODEL_FAULT_RUNS ?? 3) },
    );
  });
});

const subjectOf = (name: string) => ({ key: `row:value:${name}`, tag: name, loadTimeoutMs });

describe('clocks that are an hour apart', () => {
  it.each([0, 1, 2])(
    'change nothing in what is fresh, stale or invalidated: process %d writes',
    async (by) => {
      const [short, long] = [subjectOf(`short-${by}`), subjectOf(`long-${by}`)];
      await at(by).read(short, 'cacheAsideStale', async () => 1);
      await at(by).read(long, 'cacheAside', async () => 1);
      for (const one of processes) {
        expect(await one.read(long, 'cacheAside', async () => 2)).toBe(1);
        await expect.poll(() => one.read(short, 'cacheAside', async () => 2)).toBe(2);
      }
      await at(by).change(long, 'tag', 3, async () => undefined);
      for (const one of processes) {
        await expect.poll(() => one.read(long, 'cacheAside', async () => 3)).toBe(3);
      }
    },
  );
});

describe('a process with a lease', () => {
  it('that pauses beyond its end fills nothing when it goes on', async () => {
    const subject = subjectOf('paused');
    const loader = new HeldLoader<number>();
    const late = at(0).read(subject, 'cacheAside', () => loader.load());
    const slow = await loader.next();
    at(0).pause();
    const reading = at(1).read(subject, 'cacheAside', () => loader.load());
    (await loader.next()).succeed(2);
    expect(await reading).toBe(2);
    slow.succeed(1);
    at(0).resume();
    await Promise.allSettled([late]); // its load has timed out, or not
    for (const one of processes) {
      await expect.poll(() => one.read(subject, 'cacheAside', async () => 3)).toBe(2);
    }
  });

  it('that dies in a write through leaves nothing old', async () => {
    const subject = subjectOf('written');
    let row = 1;
    await at(0).read(subject, 'cacheAside', async () => row);
    const hasCommitted = new Promise<void>((resolve) => {
      const commit = (): Promise<never> => {
        row = 2;
        resolve();
        return new Promise(() => undefined);
      };
      at(0)
        .change(subject, 'writeThrough', 2, commit)
        .catch(() => undefined);
    });
    await hasCommitted;
    await at(0).kill();
    const reads = processes.slice(1).map((one) => one.read(subject, 'cacheAside', async () => row));
    expect(await Promise.all(reads)).toEqual([2, 2]);
    await replace(0);
  });
});
