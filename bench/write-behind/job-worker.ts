/** A worker process of job per write: for each job, one `upsert` of Prisma. */
import { type Job, Worker } from 'bullmq';
import { createPrisma } from '../../examples/platform/prisma.js';
import { report, serve } from '../serve.js';
import { cpuMsSince, now } from './in-flight.js';
import { jobQueue, openJobRedis } from './job-queue.js';
import type { Row, Rows } from './rows.js';
import { requireVariable } from './variable.js';

export interface JobWorkerHandlers {
  /** Takes jobs, so many at once, until `rest`. */
  work(concurrency: number): Promise<void>;
  rest(): Promise<void>;
  /** Since the process began, in ms. */
  cpuMs(): Promise<number>;
}

/** Counts are since `work`. */
export interface JobWorkerReport {
  readonly worker: number;
  readonly done: number;
  /** When the last row was in the database. */
  readonly lastAt: number;
  /** Why the first job that failed did. */
  readonly failure?: string;
}

const reportEveryMs = 50;

const connection = openJobRedis();
const prisma = createPrisma(requireVariable('DATABASE_URL'), {
  connections: Number(requireVariable('BENCH_CONNECTIONS')),
  name: 'bench-job-worker',
});
await prisma.$connect();
let worker: Worker<Row> | undefined;
let done = 0;
let lastAt = 0;
let failure: string | undefined;
let timer: NodeJS.Timeout | undefined;

// Conditions under which Prisma makes each one `insert … on conflict do update`.
const upserts = {
  clients: ({ id, ...rest }: Rows['clients']) =>
    prisma.client.upsert({ where: { id }, create: { id, ...rest }, update: rest, select: { id: true } }),
  tasks: ({ id, ...rest }: Rows['tasks']) =>
    prisma.task.upsert({ where: { id }, create: { id, ...rest }, update: rest, select: { id: true } }),
};

async function upsert({ name, data }: Job<Row>): Promise<void> {
  await (name === 'clients'
    ? upserts.clients(data as Rows['clients'])
    : upserts.tasks(data as Rows['tasks']));
  done += 1;
  lastAt = now();
}

function tell(): void {
  report({ worker: process.pid, done, lastAt, ...(failure === undefined ? {} : { failure }) });
}

const handlers: JobWorkerHandlers = {
  async work(concurrency) {
    done = 0;
    worker = new Worker<Row>(jobQueue.name, upsert, { connection, prefix: jobQueue.prefix, concurrency });
    worker.on('failed', (_job, error) => {
      failure ??= error.message;
    });
    worker.on('error', (error) => {
      failure ??= error.message;
    });
    timer = setInterval(tell, reportEveryMs);
    await worker.waitUntilReady();
  },
  async rest() {
    clearInterval(timer);
    await worker?.close();
    worker = undefined;
  },
  cpuMs: async () => cpuMsSince(),
};

serve(handlers, async () => {
  await handlers.rest();
  connection.disconnect();
  await prisma.$disconnect();
});
