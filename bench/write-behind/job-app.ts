/** The app process of job per write: a BullMQ job for each row. */
import { Queue } from 'bullmq';
import { serve } from '../serve.js';
import { write } from './app-calls.js';
import type { Mode } from './contestant.js';
import type { Accepted } from './in-flight.js';
import { jobOptions, jobQueue, openJobRedis } from './job-queue.js';
import type { Row } from './rows.js';
import type { Workload } from './workload.js';

export interface JobAppHandlers {
  write(workload: Workload, mode: Mode): Promise<Accepted>;
}

const connection = openJobRedis();
const queue = new Queue<Row>(jobQueue.name, {
  connection,
  prefix: jobQueue.prefix,
  defaultJobOptions: jobOptions,
});
await queue.waitUntilReady();

const handlers: JobAppHandlers = {
  write(workload, mode) {
    const calls = {
      single: (row: Row) => queue.add(workload.table, row),
      bulk: (rows: readonly Row[]) => queue.addBulk(rows.map((data) => ({ name: workload.table, data }))),
    };
    return write(calls, workload, mode);
  },
};

serve(handlers, async () => {
  await queue.close();
  connection.disconnect();
});
