/** What was stopped or closed leaves nothing behind that keeps its process alive, also when Redis went away before. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RoleName } from '../processes/left-behind.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';
import { patient } from '../support/patient.js';
import { forkProgram, nextMessage } from '../support/program.js';

const roles: readonly RoleName[] = ['app', 'write-behind', 'refresh', 'warm', 'scheduler', 'board'];

interface Report {
  readonly left: string;
  readonly before: string;
  readonly stopMs: number;
}

let environment: Environment;
let redis: OwnRedis;
let children: ChildProcess[];

beforeEach(async () => {
  [environment, redis] = await Promise.all([createEnvironment(), startOwnRedis()]);
  children = [];
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await environment.close();
  await redis.remove();
});

async function start(role: RoleName): Promise<ChildProcess> {
  const child = forkProgram(
    'test/processes/left-behind.ts',
    {
      env: { ...environment.env, REDIS_URL: redis.url },
    },
    [role],
  );
  children.push(child);
  await nextMessage(child);
  return child;
}

/** Resolves when the process has ended by itself. */
async function stop(child: ChildProcess): Promise<Report & { readonly code: number }> {
  const exited = once(child, 'exit');
  const told = nextMessage<Report>(child);
  child.send('stop');
  const report = await told;
  const [code] = (await exited) as [number];
  return { ...report, code };
}

async function expectNothingLeft(running: readonly (readonly [RoleName, ChildProcess])[]): Promise<void> {
  const ends = await Promise.all(running.map(async ([role, child]) => ({ role, ...(await stop(child)) })));
  for (const { role, left, before, code, stopMs } of ends) {
    expect({ role, left, code }).toEqual({ role, left: before, code: 0 });
    // Its deadline is 8 s.
    expect(stopMs).toBeLessThan(patient(9_000));
  }
}

it.each([
  ['there', false],
  ['away', true],
])('no role, and no app, holds its process while Redis is %s', async (_, isAway) => {
  const running: (readonly [RoleName, ChildProcess])[] = [];
  for (const role of roles) running.push([role, await start(role)]);
  if (isAway) await redis.stop();
  await expectNothingLeft(running);
});
