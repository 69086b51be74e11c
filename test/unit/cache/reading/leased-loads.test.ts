/** The state machine of leased loads, without Redis: any order of messages, writes, evictions and failures. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EntryModel, type Kind, ReadingProcess } from '../../../support/entry-model.js';

const kinds: Kind[] = ['row', 'counter', 'value'];
const runs = Number(process.env.LEASED_LOADS_RUNS ?? 400);

interface Read {
  /** Writes before it began. */
  readonly floor: number;
  readonly reading: Promise<number | null>;
}

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('read' as const), by: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'write' as const, by: 0 }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('evict' as const, 'fail' as const), by: fc.nat(1) }),
  },
  { weight: 12, arbitrary: fc.constant({ do: 'deliver' as const, by: 0 }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** What has arrived is looked at, and answered. */
async function settled(): Promise<void> {
  for (let i = 0; i < 30; i++) await undefined;
}

/** Absent is what every even number of writes leaves. */
function mayBe(value: number | null, floor: number, last: number): boolean {
  if (value !== null) return value >= floor && value <= last;
  return floor % 2 === 0 || last > floor;
}

async function take(model: EntryModel, processes: readonly ReadingProcess[], steps: readonly Step[]) {
  const reads: Read[] = [];
  for (const { do: what, by } of steps) {
    const process = processes[by] as ReadingProcess;
    if (what === 'read') reads.push({ floor: model.row, reading: process.read() });
    else if (what === 'write') model.write();
    else if (what === 'evict') model.evict();
    else if (what === 'fail') process.isFailing = true;
    else if (model.scheduler.count() > 0) await model.scheduler.waitOne();
    await settled();
  }
  for (const { reading } of reads) reading.catch(() => undefined);
  await model.scheduler.waitFor(Promise.allSettled(reads.map(({ reading }) => reading)));
  return reads;
}

describe.each(kinds)('leased loads of a %s', (kind) => {
  it('give no read anything older than the last write before it, whatever the order of messages', async () => {
    const property = fc.asyncProperty(
      fc.scheduler(),
      fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }),
      async (scheduler, steps) => {
        const model = new EntryModel(kind, scheduler);
        const processes = ['a', 'b'].map((name) => new ReadingProcess(name, model, name === 'b'));
        const reads = await take(model, processes, steps);
        for (const { floor, reading } of reads) {
          const [result] = await Promise.allSettled([reading]);
          if (result?.status === 'rejected') expect(result.reason.message).toBe('the database is away');
          else
            expect(mayBe(result?.value ?? null, floor, model.row), `${result?.value} after ${floor}`).toBe(
              true,
            );
        }
        await scheduler.waitIdle();
        expect(model.entry?.is).not.toBe('lease');
      },
    );
    await fc.assert(property, { numRuns: runs });
  });

  it('load once for all who miss at once, in all processes', async () => {
    const property = fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.nat(2), { minLength: 1 }),
      async (scheduler, by) => {
        const model = new EntryModel(kind, scheduler);
        model.write();
        model.evict();
        const processes = ['a', 'b', 'c'].map((name) => new ReadingProcess(name, model, name === 'b'));
        const reads = by.map((one) => (processes[one] as ReadingProcess).read());
        expect(await scheduler.waitFor(Promise.all(reads))).toEqual(by.map(() => 1));
        const loads = processes.reduce((sum, { counts }) => sum + counts.loads, 0);
        expect(loads).toBe(1);
      },
    );
    await fc.assert(property, { numRuns: runs / 5 });
  });
});
