/**
 * The batcher as a contestant: what a good engineer would write by hand in a day. A list of Redis, one worker, batches
 * of 500 by `INSERT … ON CONFLICT`. It promises none of what forebay does: a worker that dies loses the batch in hand,
 * a row that the database refuses loses its batch, nobody reads what waits, nothing bounds the list, and a second
 * worker would write older rows over newer ones.
 */
import { type Child, startChild } from '../child.js';
import type { AppReport } from './app-calls.js';
import type { BatcherAppHandlers } from './batcher-app.js';
import type { BatcherWorkerHandlers } from './batcher-worker.js';
import type { Carried, Contestant, Mode } from './contestant.js';
import { Listener } from './listener.js';
import type { Workload } from './workload.js';

export interface Batcher extends Contestant {
  stop(): Promise<void>;
}

interface Processes {
  readonly app: Child<BatcherAppHandlers>;
  readonly worker: Child<BatcherWorkerHandlers>;
  readonly accepted: Listener<AppReport>;
}

export async function startBatcher(options: {
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}): Promise<Batcher> {
  const accepted = new Listener<AppReport>();
  const worker = await startChild<BatcherWorkerHandlers>('write-behind/batcher-worker.ts', options);
  try {
    const app = await startChild<BatcherAppHandlers, AppReport>('write-behind/batcher-app.ts', {
      ...options,
      onReport: (report) => accepted.tell(report),
    });
    return contestant({ app, worker, accepted });
  } catch (error) {
    await worker.stop();
    throw error;
  }
}

function contestant(processes: Processes): Batcher {
  const { app, worker } = processes;
  return {
    name: 'batcher by hand',
    modes: { single: 'RPUSH', bulk: 'RPUSH of 100' },
    carry: (workload, mode, onAccepted) => carry(processes, workload, mode, onAccepted),
    async stop() {
      await app.stop();
      await worker.stop();
    },
  };
}

async function carry(
  { app, worker, accepted }: Processes,
  workload: Workload,
  mode: Mode,
  onAccepted: (writes: number) => void,
): Promise<Carried> {
  accepted.listen(onAccepted);
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
