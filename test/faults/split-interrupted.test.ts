/** A worker that dies or pauses while it splits a batch that the database refused in part. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import { faultExitCode } from '../processes/messages.js';
import { drained } from '../support/drained.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { Traffic } from '../support/traffic.js';
import { startWorkerProcess } from '../support/worker-process.js';

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
  await environment.prisma.$executeRawUnsafe(
    "ALTER TABLE projects ADD CONSTRAINT not_bad CHECK (name NOT LIKE 'bad%')",
  );
});

afterEach(() => environment.close());

const badIds = ['bad-1', 'bad-2', 'bad-3'];
const bad = badIds.map((id) => ({ id, name: 'bad' }));

describe('good rows land once and refused ones are dead letters', () => {
  const moments = [
    ['the batch is sealed', 'batch.sealed'],
    ['the batch is void, before it is split', 'batch.void'],
    ['the batch is split, before its letters are shown', 'batch.split'],
    ['the rest is committed, before its ack', 'batch.applied'],
  ] as const;

  it.each(moments)('when the worker dies after %s', async (_, at) => {
    const app = await environment.connect(stores);
    const traffic = new Traffic(app);
    await app.stores.projects.putMany(bad);
    await traffic.round(200);
    const dying = await startWorkerProcess(environment, { at, action: 'exit' });
    expect(await dying.exited()).toBe(faultExitCode);
    await traffic.round(200);
    await startWorkerProcess(environment);
    await drained(app);
    await traffic.expectExact(environment.prisma);
    expect(await app.backlog()).toMatchObject({ dead: badIds.length });
  });

  it.each(moments)('when the worker pauses after %s, while another takes over', async (_, at) => {
    const app = await environment.connect(stores);
    const traffic = new Traffic(app);
    await app.stores.projects.putMany(bad);
    await traffic.round(200);
    const paused = await startWorkerProcess(environment, { at, action: 'pause' });
    await paused.event(at);
    await startWorkerProcess(environment);
    await traffic.round(200);
    await drained(app);
    await traffic.expectExact(environment.prisma);
    paused.resume();
    await traffic.round(200);
    await drained(app);
    await traffic.expectExact(environment.prisma);
    expect(await app.backlog()).toMatchObject({ dead: badIds.length });
  });
});
