import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import { faultExitCode } from '../processes/messages.js';
import { drained } from '../support/drained.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { patient } from '../support/patient.js';
import { Traffic } from '../support/traffic.js';
import { startWorkerProcess } from '../support/worker-process.js';

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

describe('a worker that dies loses nothing and applies nothing twice', () => {
  const moments = [
    ['after seal, before apply', 'batch.sealed'],
    ['after the rows were written, before commit', 'batch.written'],
    ['after commit, before ack', 'batch.applied'],
    ['after ack, before the next seal', 'batch.acked'],
  ] as const;

  it.each(moments)('%s', async (_, at) => {
    const app = await environment.connect(stores);
    const traffic = new Traffic(app);
    const dying = await startWorkerProcess(environment, { at, action: 'exit' });
    await traffic.round(200);
    expect(await dying.exited()).toBe(faultExitCode);
    await traffic.round(200);
    await startWorkerProcess(environment);
    await traffic.round(200);
    await drained(app);
    await traffic.expectExact(environment.prisma);
  });

  it('goes on within 5 s of a kill -9, when another worker is there', async () => {
    const app = await environment.connect(stores);
    const traffic = new Traffic(app);
    const dying = await startWorkerProcess(environment, { at: 'batch.written', action: 'pause' });
    await traffic.round(50);
    await dying.event('batch.written');
    await startWorkerProcess(environment);
    const killedAt = Date.now();
    await dying.kill();
    await drained(app);
    expect(Date.now() - killedAt).toBeLessThan(patient(5_000));
    await traffic.expectExact(environment.prisma);
  });
});

describe('a worker that pauses changes nothing when it goes on', () => {
  const moments = [
    ['before it applies its batch', 'batch.sealed'],
    ['inside its transaction', 'batch.written'],
    ['before it acknowledges', 'batch.applied'],
  ] as const;

  it.each(moments)('%s, after another took over', async (_, at) => {
    const app = await environment.connect(stores);
    const traffic = new Traffic(app);
    const paused = await startWorkerProcess(environment, { at, action: 'pause' });
    await traffic.round(200);
    await paused.event(at);
    await startWorkerProcess(environment);
    await traffic.round(200);
    await drained(app);
    await traffic.expectExact(environment.prisma);

    paused.resume();
    // Inside its transaction, Postgres has ended its session: a failure, after which it may try again before it is late.
    if (at === 'batch.written')
      await Promise.race([paused.event('batch.late'), paused.event('batch.failed')]);
    else await paused.event('batch.late');
    await traffic.round(200);
    await drained(app);
    await traffic.expectExact(environment.prisma);
  });
});
