/** forebay as a contestant, by its defaults. */
import {
  type AppAndWorker,
  type StartedContestant,
  type StartOptions,
  startAppAndWorker,
} from './app-and-worker.js';
import type { Carried, Mode } from './contestant.js';
import type { ForebayAppHandlers } from './forebay-app.js';
import type { ForebayWorkerHandlers } from './forebay-worker.js';
import type { Workload } from './workload.js';

export function startForebay(options: StartOptions): Promise<StartedContestant> {
  return startAppAndWorker<ForebayAppHandlers, ForebayWorkerHandlers>(
    {
      name: 'forebay',
      modes: { single: 'put', bulk: 'putMany, 100 rows' },
      scripts: { app: 'write-behind/forebay-app.ts', worker: 'write-behind/forebay-worker.ts' },
      carry,
    },
    options,
  );
}

async function carry(
  { app, worker }: AppAndWorker<ForebayAppHandlers, ForebayWorkerHandlers>,
  workload: Workload,
  mode: Mode,
): Promise<Carried> {
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
