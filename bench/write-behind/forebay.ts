/** forebay as a contestant: one app process, one worker process, its defaults. */
import { type Child, startChild } from '../child.js';
import type { AppReport } from './app-calls.js';
import type { Carried, Contestant, Mode } from './contestant.js';
import type { ForebayAppHandlers } from './forebay-app.js';
import type { ForebayWorkerHandlers } from './forebay-worker.js';
import { Listener } from './listener.js';
import type { Workload } from './workload.js';

export interface Forebay extends Contestant {
  stop(): Promise<void>;
}

interface Processes {
  readonly app: Child<ForebayAppHandlers>;
  readonly worker: Child<ForebayWorkerHandlers>;
  readonly accepted: Listener<AppReport>;
}

export async function startForebay(options: {
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}): Promise<Forebay> {
  const accepted = new Listener<AppReport>();
  const worker = await startChild<ForebayWorkerHandlers>('write-behind/forebay-worker.ts', options);
  try {
    const app = await startChild<ForebayAppHandlers, AppReport>('write-behind/forebay-app.ts', {
      ...options,
      onReport: (report) => accepted.tell(report),
    });
    return contestant({ app, worker, accepted });
  } catch (error) {
    await worker.stop();
    throw error;
  }
}

function contestant(processes: Processes): Forebay {
  const { app, worker } = processes;
  return {
    name: 'forebay',
    modes: { single: 'put', bulk: 'putMany, 100 rows' },
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
  const rowsBefore = await app.ask('rowsWritten');
  const cpuBefore = await worker.ask('cpuMs');
  const written = await app.ask('write', workload, mode);
  const drained = await app.ask('drain');
  return {
    acceptedMs: written.acceptedAt - written.startedAt,
    persistedMs: drained.persistedAt - written.startedAt,
    rowsWritten: (await app.ask('rowsWritten')) - rowsBefore,
    appCpuMs: written.cpuMs + drained.cpuMs,
    workerCpuMs: (await worker.ask('cpuMs')) - cpuBefore,
  };
}
