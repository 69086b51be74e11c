import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { forkProgram } from '../support/program.js';
import { Traffic } from '../support/traffic.js';

let environment: Environment;
let worker: ChildProcess | undefined;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(async () => {
  worker?.kill('SIGKILL');
  await environment.close();
});

describe('a worker that is told to stop', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s finishes the batches in hand, hands the rest back and leaves',
    async (signal) => {
      const app = await environment.connect(stores);
      const traffic = new Traffic(app);
      await traffic.round(6_000);
      worker = startWorker();
      const exited = once(worker, 'exit');
      const log = { sealed: new Set<string>(), acked: new Set<string>() };
      for await (const line of createInterface({ input: worker.stdout as NodeJS.ReadableStream })) {
        const { msg, number } = JSON.parse(line) as { msg: string; number: string };
        if (msg === 'batch.sealed' && log.sealed.size === 0) worker.kill(signal);
        if (msg === 'batch.sealed') log.sealed.add(number);
        if (msg === 'batch.acked') log.acked.add(number);
      }
      expect((await exited)[0]).toBe(0);
      expect(log.sealed.size).toBeGreaterThan(0);
      expect(log.acked).toEqual(log.sealed);
      expect(await app.backlog()).toMatchObject({ sealed: 0 });

      await environment.startWorker(stores);
      await app.flush({ timeoutMs: 60_000 });
      await traffic.expectExact(environment.prisma);
    },
  );
});

function startWorker(): ChildProcess {
  return forkProgram('workers/write-behind.ts', {
    env: { ...environment.env, LOG_LEVEL: 'debug' },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
}
