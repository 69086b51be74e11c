/** The app of the bench: writes rows of a size, counts in one place, and tells how long calls took. */
import { createPrisma } from '../../examples/platform/prisma.js';
import { connect, readConfig, requireDatabaseUrl } from '../../src/index.js';
import { quantile } from '../quantile.js';
import { serve } from '../serve.js';
import { cpuMsSince, issue } from '../write-behind/in-flight.js';
import { stores } from './stores.js';

export interface Written {
  /** Until all was accepted. */
  readonly ms: number;
  /** Of this process. */
  readonly cpuMs: number;
  /** From a call to its answer, in ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Counted {
  readonly addsPerSecond: number;
  /** Of puts of other rows meanwhile, at a steady rate: to their answers, and to the database, in ms. */
  readonly putP99Ms: number;
  readonly persistedP99Ms: number;
}

export interface ScaleAppHandlers {
  /** Puts rows `from`, … whose `email` has so many bytes: it has no index, whose rows are small. */
  write(order: { from: number; rows: number; bytes: number; inFlight: number }): Promise<Written>;
  /** Until all is in the database, in ms. */
  drain(): Promise<{ ms: number; cpuMs: number }>;
  /** Adds to one counter as fast as it goes; without, only the puts beside it. */
  count(order: { seconds: number; isHot: boolean }): Promise<Counted>;
}

const drainMaxMs = 1_800_000;
const countInFlight = 256;
const putEveryMs = 5;

const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 1, name: 'bench-scale-app' });
const app = await connect(stores, { prisma, config, cache: { l1: false } });

const handlers: ScaleAppHandlers = {
  async write({ from, rows, bytes, inFlight }) {
    const email = 'n'.repeat(bytes);
    const answerMs: number[] = [];
    const put = async (at: number): Promise<void> => {
      const startedAt = performance.now();
      await app.stores.clients.put({ id: String(from + at), name: 'row', email });
      answerMs.push(performance.now() - startedAt);
    };
    const accepted = await issue(put, { calls: rows, inFlight, onProgress: () => undefined });
    const { startedAt, acceptedAt, cpuMs } = accepted;
    return {
      ms: acceptedAt - startedAt,
      cpuMs,
      p50Ms: quantile(answerMs, 0.5),
      p99Ms: quantile(answerMs, 0.99),
    };
  },
  async drain() {
    const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()];
    await app.flush({ timeoutMs: drainMaxMs });
    return { ms: performance.now() - startedAt, cpuMs: cpuMsSince(cpuBefore) };
  },
  async count({ seconds, isHot }) {
    await app.stores.projects.put({ id: 'hot', name: 'hot' });
    const endsAt = performance.now() + 1_000 * seconds;
    const hot = isHot ? adding(endsAt) : Promise.resolve(0);
    const { putMs, persistedMs } = await putting(endsAt);
    const adds = await hot;
    return {
      addsPerSecond: adds / seconds,
      putP99Ms: quantile(putMs, 0.99),
      persistedP99Ms: quantile(persistedMs, 0.99),
    };
  },
};

async function adding(endsAt: number): Promise<number> {
  let adds = 0;
  const one = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      await app.stores.projectViews.add('hot', 1);
      adds += 1;
    }
  };
  await Promise.all(Array.from({ length: countInFlight }, one));
  return adds;
}

async function putting(endsAt: number): Promise<{ putMs: number[]; persistedMs: number[] }> {
  const [putMs, persistedMs]: [number[], number[]] = [[], []];
  const puts: Promise<void>[] = [];
  const one = async (id: string): Promise<void> => {
    const startedAt = performance.now();
    const receipt = await app.stores.projects.put({ id, name: 'neighbour' });
    putMs.push(performance.now() - startedAt);
    await receipt.persisted();
    persistedMs.push(performance.now() - startedAt);
  };
  for (let n = 0; performance.now() < endsAt; n++) {
    puts.push(one(`neighbour${n}`));
    await new Promise((resolve) => setTimeout(resolve, putEveryMs));
  }
  await Promise.all(puts);
  return { putMs, persistedMs };
}

serve(handlers, async () => {
  await app.close();
  await prisma.$disconnect();
});
