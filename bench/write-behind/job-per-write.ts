/** Job per write as a contestant: what one would write by hand with BullMQ and Prisma. One app process, some worker processes. */
import { type Child, startChild } from '../child.js';
import type { StartedContestant, StartOptions } from './app-and-worker.js';
import type { AppReport } from './app-calls.js';
import type { Carried, Mode } from './contestant.js';
import { DoneJobs } from './done-jobs.js';
import type { JobAppHandlers } from './job-app.js';
import type { JobWorkerHandlers, JobWorkerReport } from './job-worker.js';
import { Listener } from './listener.js';
import type { Workload } from './workload.js';

export interface JobSettings {
  readonly processes: number;
  /** Jobs that one process works on at once. */
  readonly concurrency: number;
}

export interface JobPerWrite extends StartedContestant {
  /** Of the runs that follow; no more processes than were started. */
  use(settings: JobSettings): void;
}

export interface JobPerWriteOptions extends StartOptions {
  readonly settings: JobSettings;
}

/** Of each worker process to Postgres. */
const connections = 10;

interface Processes {
  readonly app: Child<JobAppHandlers>;
  readonly workers: readonly Child<JobWorkerHandlers>[];
  readonly accepted: Listener<AppReport>;
  readonly done: DoneJobs;
  readonly signal: AbortSignal;
}

export async function startJobPerWrite(options: JobPerWriteOptions): Promise<JobPerWrite> {
  const processes = await startProcesses(options);
  let { settings } = options;
  return {
    name: 'job per write',
    modes: { single: 'add', bulk: 'addBulk, 100 jobs' },
    use(wanted) {
      settings = wanted;
    },
    carry: (workload, mode, onAccepted) => {
      const workers = processes.workers.slice(0, settings.processes);
      return carry({ ...processes, workers }, { workload, mode, settings, onAccepted });
    },
    stop: () => stop([processes.app, ...processes.workers]),
  };
}

async function startProcesses({ env, signal, settings }: JobPerWriteOptions): Promise<Processes> {
  const accepted = new Listener<AppReport>();
  const done = new DoneJobs();
  const started: { stop(): Promise<void> }[] = [];
  const own = { env: { ...env, BENCH_CONNECTIONS: String(connections) }, signal };
  try {
    const app = await startChild<JobAppHandlers, AppReport>('write-behind/job-app.ts', {
      ...own,
      onReport: (report) => accepted.tell(report),
    });
    started.push(app);
    const workers: Child<JobWorkerHandlers>[] = [];
    while (workers.length < settings.processes) {
      const worker = await startChild<JobWorkerHandlers, JobWorkerReport>('write-behind/job-worker.ts', {
        ...own,
        onReport: (report) => done.tell(report),
      });
      workers.push(worker);
      started.push(worker);
    }
    return { app, workers, accepted, done, signal };
  } catch (error) {
    await stop(started);
    throw error;
  }
}

async function stop(children: readonly { stop(): Promise<void> }[]): Promise<void> {
  for (const child of children) await child.stop();
}

interface Order {
  readonly workload: Workload;
  readonly mode: Mode;
  readonly settings: JobSettings;
  onAccepted(writes: number): void;
}

async function carry(processes: Processes, order: Order): Promise<Carried> {
  const { workers, accepted, done } = processes;
  accepted.listen(order.onAccepted);
  done.reset();
  const cpuBefore = await cpuMsOf(workers);
  try {
    for (const worker of workers) await worker.ask('work', order.settings.concurrency);
    const { written, persistedAt } = await writeAndAwait(processes, order);
    return {
      acceptedMs: written.acceptedAt - written.startedAt,
      persistedMs: persistedAt - written.startedAt,
      rowsWritten: order.workload.writes,
      appCpuMs: written.cpuMs,
      workerCpuMs: (await cpuMsOf(workers)) - cpuBefore,
    };
  } finally {
    for (const worker of workers) await worker.ask('rest');
  }
}

async function writeAndAwait({ app, done, signal }: Processes, { workload, mode }: Order) {
  const isOver = new AbortController();
  try {
    const [written, persistedAt] = await Promise.all([
      app.ask('write', workload, mode),
      done.reached(workload.writes, AbortSignal.any([signal, isOver.signal])),
    ]);
    return { written, persistedAt };
  } finally {
    isOver.abort();
  }
}

async function cpuMsOf(workers: readonly Child<JobWorkerHandlers>[]): Promise<number> {
  let sum = 0;
  for (const worker of workers) sum += await worker.ask('cpuMs');
  return sum;
}
