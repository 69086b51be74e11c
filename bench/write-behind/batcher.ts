/**
 * The batcher as a contestant: what a good engineer would write by hand in a day. A list of Redis, one worker, batches
 * of 500 by `INSERT … ON CONFLICT`. It promises none of what forebay does: a worker that dies loses the batch in hand,
 * a row that the database refuses loses its batch, nobody reads what waits, nothing bounds the list, and a second
 * worker would write older rows over newer ones.
 */
import {
  type AppAndWorker,
  type StartedContestant,
  type StartOptions,
  startAppAndWorker,
} from './app-and-worker.js';
import type { BatcherAppHandlers } from './batcher-app.js';
import type { BatcherWorkerHandlers } from './batcher-worker.js';
import type { Carried, Mode } from './contestant.js';
import type { Workload } from './workload.js';

export function startBatcher(options: StartOptions): Promise<StartedContestant> {
  return startAppAndWorker<BatcherAppHandlers, BatcherWorkerHandlers>(
    {
      name: 'batcher by hand',
      modes: { single: 'RPUSH', bulk: 'RPUSH of 100' },
      scripts: { app: 'write-behind/batcher-app.ts', worker: 'write-behind/batcher-worker.ts' },
      carry,
    },
    options,
  );
}

async function carry(
  { app, worker }: AppAndWorker<BatcherAppHandlers, BatcherWorkerHandlers>,
  workload: Workload,
  mode: Mode,
): Promise<Carried> {
  const cpuBefore = await worker.ask('cpuMs');
  const [written, { persistedAt, rowsWritten }] = await Promise.all([
    app.ask('write', workload, mode),
    worker.ask('work', workload.table, workload.writes),
  ]);
  return {
    acceptedMs: written.acceptedAt - written.startedAt,
    persistedMs: persistedAt - written.startedAt,
    rowsWritten,
    appCpuMs: written.cpuMs,
    workerCpuMs: (await worker.ask('cpuMs')) - cpuBefore,
  };
}
