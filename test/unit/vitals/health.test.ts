/** What is alive and what is ready, for each stage, need and duty. */
import { describe, expect, it } from 'vitest';
import { type Check, type Duty, Vitals } from '../../../src/vitals/health.js';

const there: Check = { name: 'redis', ask: () => Promise.resolve('PONG') };
const away: Check = { name: 'database', ask: () => Promise.reject(new Error('connection refused')) };
const atWork: Duty = { name: 'jobs', problem: () => undefined };
const stuck: Duty = { name: 'batches', problem: async () => 'no batch was done for 21 s' };

function vitalsOf(checks: Check[], duties: Duty[] = []): Vitals {
  const vitals = new Vitals();
  vitals.need(...checks);
  vitals.watch(...duties);
  return vitals;
}

describe('a process', () => {
  it.each([
    ['that is not started yet is alive, and not ready', undefined, 'not started yet'],
    ['that starts is alive, and not ready', 'starting', 'starting for 0 s'],
    ['that could not start is alive, and not ready', 'failed', 'failed for 0 s'],
    ['that stops is alive, and not ready', 'stopping', 'stopping for 0 s'],
  ] as const)('%s', async (_, stage, reason) => {
    const vitals = vitalsOf([there], [stuck]);
    if (stage) vitals.enter(stage);
    expect((await vitals.live()).ok).toBe(true);
    expect(await vitals.ready()).toEqual({
      ok: false,
      checks: [
        { name: 'started', ok: false, reason },
        { name: 'redis', ok: true },
      ],
    });
  });

  it('is ready once it is started and all that it needs answers', async () => {
    const vitals = vitalsOf([there]);
    vitals.enter('started');
    expect((await vitals.ready()).ok).toBe(true);
    vitals.need(away);
    expect((await vitals.ready()).checks).toContainEqual({
      name: 'database',
      ok: false,
      reason: 'connection refused',
    });
  });

  it('that does nothing though something is due is not alive', async () => {
    const vitals = vitalsOf([there], [atWork, stuck]);
    vitals.enter('started');
    expect(await vitals.live()).toEqual({
      ok: false,
      checks: [
        { name: 'jobs', ok: true },
        { name: 'batches', ok: false, reason: 'no batch was done for 21 s' },
      ],
    });
  });

  it('is alive while what it needs is away: a restart mends no database', async () => {
    const vitals = vitalsOf([there, away], [stuck]);
    vitals.enter('started');
    expect(await vitals.live()).toEqual({
      ok: true,
      checks: [{ name: 'work', ok: true, reason: 'not judged, for database: connection refused' }],
    });
  });
});

it('a question that has no answer is open once, however often it is asked', async () => {
  let asked = 0;
  const vitals = vitalsOf([
    {
      name: 'database',
      ask: () => {
        asked += 1;
        return new Promise(() => undefined);
      },
    },
  ]);
  vitals.enter('started');
  const reports = await Promise.all([vitals.ready(), vitals.ready(), vitals.live()]);
  expect(reports.map(({ ok }) => ok)).toEqual([false, false, true]);
  expect(reports[0]?.checks[1]).toMatchObject({ ok: false, reason: 'no answer within 2000 ms' });
  expect(asked).toBe(1);
});
