/** An app that writes at a steady rate, whether or not earlier writes are answered: what users do. */
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createPrisma } from '../../examples/platform/prisma.js';
import { stores } from '../../examples/platform/stores.js';
import { connect, isForebayError, type Receipt, readConfig, requireDatabaseUrl } from '../../src/index.js';
import { quantile } from '../quantile.js';
import { serve } from '../serve.js';
import { issue } from '../write-behind/in-flight.js';
import { rowOf } from '../write-behind/rows.js';
import { requireVariable } from '../write-behind/variable.js';

export type Way = 'put' | 'SET';

export interface LatencyAppHandlers {
  /** Writes until they are in the database, as many in flight as is fastest; per second. */
  capacity(writes: number): Promise<number>;
  pace(way: Way, perSecond: number, seconds: number): Promise<PaceFigures>;
  /** Accepts rows; no worker may run. */
  accept(rows: number): Promise<void>;
}

export interface PaceFigures {
  /** From the call to its answer, in ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** From the answer to the row in the database, in ms; of some. */
  readonly persistedP50Ms: number;
  readonly persistedP99Ms: number;
  /** Writes for which the app had too many under way. */
  readonly refused: number;
}

const inFlight = 1_000;
const tickMs = 2;
/** Of so many writes one is asked for its time to the database. */
const sampleEvery = 50;

const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 1, name: 'bench-latency' });
const app = await connect(stores, { prisma, config });
const redis = new Redis(requireVariable('REDIS_URL'), { enableAutoPipelining: true });
const { clients } = app.stores;
let written = 0;

const put = () => clients.put(rowOf('clients', ++written, written) as never);
const set = () =>
  redis.set(
    `{${config.prefix}}:plain:${++written}`,
    JSON.stringify(rowOf('clients', written, written)),
    'EX',
    60,
  );

const handlers: LatencyAppHandlers = {
  async capacity(writes) {
    const startedAt = performance.now();
    await issue(put, { calls: writes, inFlight, onProgress: () => undefined });
    await app.flush({ timeoutMs: 120_000 });
    return (1_000 * writes) / (performance.now() - startedAt);
  },
  async pace(way, perSecond, seconds) {
    const answerMs: number[] = [];
    const persistedMs: number[] = [];
    const answered: Promise<void>[] = [];
    let refused = 0;
    const call = (): Promise<Receipt | 'OK' | undefined> =>
      (way === 'put' ? put() : set()).catch((error: unknown) => {
        if (!isForebayError(error, 'TOO_MANY_WRITES')) throw error;
        refused += 1;
        return undefined;
      });
    const one = async (isSampled: boolean): Promise<void> => {
      const startedAt = performance.now();
      const receipt = await call();
      if (receipt === undefined) return;
      const answeredAt = performance.now();
      answerMs.push(answeredAt - startedAt);
      if (!isSampled || typeof receipt === 'string') return;
      await receipt.persisted();
      persistedMs.push(performance.now() - answeredAt);
    };
    const startedAt = performance.now();
    let issued = 0;
    while (performance.now() - startedAt < 1_000 * seconds) {
      const due = Math.floor(((performance.now() - startedAt) * perSecond) / 1_000);
      for (; issued < due; issued++) answered.push(one(issued % sampleEvery === 0));
      await wait(tickMs);
    }
    await Promise.all(answered);
    await app.flush({ timeoutMs: 120_000 });
    return {
      p50Ms: quantile(answerMs, 0.5),
      p99Ms: quantile(answerMs, 0.99),
      persistedP50Ms: quantile(persistedMs, 0.5),
      persistedP99Ms: quantile(persistedMs, 0.99),
      refused,
    };
  },
  async accept(rows) {
    await issue(put, { calls: rows, inFlight, onProgress: () => undefined });
  },
};

serve(handlers, async () => {
  redis.disconnect();
  await app.close();
  await prisma.$disconnect();
});
