/** An app of one tenant, or of several: writes at a steady rate, or as fast as it can. */
import { setTimeout as wait } from 'node:timers/promises';
import { createPrisma } from '../../examples/platform/prisma.js';
import { connect, isForebayError, type Receipt, readConfig, requireDatabaseUrl } from '../../src/index.js';
import { quantile } from '../quantile.js';
import { serve } from '../serve.js';
import { stores } from './stores.js';

export interface TenantsAppHandlers {
  /** Each tenant writes at this rate, whether or not earlier writes are answered. */
  pace(tenants: readonly string[], perSecond: number, seconds: number): Promise<PaceFigures>;
  /** One tenant writes for so long, with a bounded number of writes under way. */
  flood(tenant: string, seconds: number): Promise<WriteFigures>;
}

export interface WriteFigures {
  readonly accepted: number;
  /** As BACKLOG_FULL. */
  readonly refused: number;
  /** In the database, of the time until all were there. */
  readonly perSecond: number;
}

export interface PaceFigures extends WriteFigures {
  /** From when a write was due until it was accepted, in ms. */
  readonly putP50Ms: number;
  readonly putP99Ms: number;
  /** From then on until its row was in the database. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const tickMs = 2;
const floodsAtOnce = 8;
const floodRows = 100;
/** Before what was refused is tried again. */
const fullWaitMs = 20;
const flushMaxMs = 120_000;

const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 1, name: 'bench-tenants-app' });
const app = await connect(stores, { prisma, config, cache: { l1: false } });
const { clients } = app.stores;
let written = 0;

/** Undefined: the lane was full. */
async function put(tenant: string): Promise<Receipt | undefined> {
  try {
    return await clients.put({ id: `${tenant}:${process.pid}-${++written}`, name: `a row of ${tenant}` });
  } catch (error) {
    if (isForebayError(error, 'BACKLOG_FULL')) return undefined;
    throw error;
  }
}

async function perSecondSince(startedAt: number, accepted: number): Promise<number> {
  await app.flush({ timeoutMs: flushMaxMs });
  return (1_000 * accepted) / (performance.now() - startedAt);
}

const handlers: TenantsAppHandlers = {
  async pace(tenants, perSecond, seconds) {
    const putMs: number[] = [];
    const persistedMs: number[] = [];
    const ends: Promise<void>[] = [];
    const startedAt = performance.now();
    const everyMs = 1_000 / (perSecond * tenants.length);
    const one = async (at: number): Promise<void> => {
      const receipt = await put(tenants[at % tenants.length] as string);
      const answeredAt = performance.now();
      if (receipt === undefined) return;
      putMs.push(answeredAt - startedAt - at * everyMs);
      await receipt.persisted();
      persistedMs.push(performance.now() - answeredAt);
    };
    const writes = Math.floor((1_000 * seconds) / everyMs);
    while (ends.length < writes) {
      const due = Math.min(writes, Math.floor((performance.now() - startedAt) / everyMs) + 1);
      while (ends.length < due) ends.push(one(ends.length));
      await wait(tickMs);
    }
    await Promise.all(ends);
    const accepted = putMs.length;
    return {
      accepted,
      refused: writes - accepted,
      perSecond: await perSecondSince(startedAt, accepted),
      putP50Ms: quantile(putMs, 0.5),
      putP99Ms: quantile(putMs, 0.99),
      p50Ms: quantile(persistedMs, 0.5),
      p99Ms: quantile(persistedMs, 0.99),
    };
  },
  async flood(tenant, seconds) {
    const startedAt = performance.now();
    let [accepted, refused] = [0, 0];
    const one = async (): Promise<void> => {
      while (performance.now() - startedAt < 1_000 * seconds) {
        const receipts = await Promise.all(Array.from({ length: floodRows }, () => put(tenant)));
        const full = receipts.filter((receipt) => receipt === undefined).length;
        accepted += floodRows - full;
        refused += full;
        if (full > 0) await wait(fullWaitMs);
      }
    };
    await Promise.all(Array.from({ length: floodsAtOnce }, one));
    return { accepted, refused, perSecond: await perSecondSince(startedAt, accepted) };
  },
};

serve(handlers, async () => {
  await app.close();
  await prisma.$disconnect();
});
