/**
 * The worker process of the batcher: pops up to 500 rows, of each id the last, and writes them by one statement;
 * it pops the next while that runs. One at a time: two would overtake each other.
 */
import { Redis } from 'ioredis';
import { ByHand } from '../by-hand.js';
import { serve } from '../serve.js';
import { batcherList } from './batcher-list.js';
import { cpuMsSince, now } from './in-flight.js';
import type { Row, Table } from './rows.js';
import { requireVariable } from './variable.js';

export interface BatcherWorkerHandlers {
  /** Takes rows until so many have come. */
  work(table: Table, writes: number): Promise<{ persistedAt: number; rowsWritten: number }>;
  /** Since the process began, in ms. */
  cpuMs(): Promise<number>;
}

const batchRows = 500;
const waitSeconds = 1;

const redis = new Redis(requireVariable('REDIS_URL'));
const byHand = new ByHand(requireVariable('DATABASE_URL'));

/** Waits for the first; undefined when none came for a second. */
async function pop(list: string): Promise<string[] | undefined> {
  const popped = await redis.blmpop(waitSeconds, 1, list, 'LEFT', 'COUNT', batchRows);
  return popped?.[1];
}

const handlers: BatcherWorkerHandlers = {
  async work(table, writes) {
    const list = batcherList(table);
    let taken = 0;
    let rowsWritten = 0;
    let next = pop(list);
    while (taken < writes) {
      const texts = (await next) ?? [];
      taken += texts.length;
      if (taken < writes) next = pop(list);
      const rows = new Map(texts.map((text) => JSON.parse(text) as Row).map((row) => [row.id, row]));
      if (rows.size > 0) await byHand.upsert(table, [...rows.values()], batchRows);
      rowsWritten += rows.size;
    }
    return { persistedAt: now(), rowsWritten };
  },
  cpuMs: async () => cpuMsSince(),
};

serve(handlers, async () => {
  redis.disconnect();
  await byHand.close();
});
