/** The app process of the batcher by hand: each row is pushed onto a list of Redis, as JSON. */
import { Redis } from 'ioredis';
import { serve } from '../serve.js';
import { write } from './app-calls.js';
import { batcherList } from './batcher-list.js';
import type { Mode } from './contestant.js';
import type { Accepted } from './in-flight.js';
import type { Row } from './rows.js';
import { requireVariable } from './variable.js';
import type { Workload } from './workload.js';

export interface BatcherAppHandlers {
  write(workload: Workload, mode: Mode): Promise<Accepted>;
}

const redis = new Redis(requireVariable('REDIS_URL'), { enableAutoPipelining: true });

const handlers: BatcherAppHandlers = {
  write(workload, mode) {
    const list = batcherList(workload.table);
    const calls = {
      single: (row: Row) => redis.rpush(list, JSON.stringify(row)),
      bulk: (rows: readonly Row[]) => redis.rpush(list, ...rows.map((row) => JSON.stringify(row))),
    };
    return write(calls, workload, mode);
  },
};

serve(handlers, async () => redis.disconnect());
