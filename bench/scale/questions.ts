/** The four questions of the bench, each measured on a site of its own. */
import type { BenchContext } from '../bench.js';
import { count } from '../text-table.js';
import { openSite, type Site, type SiteOptions } from './site.js';

export interface Carried {
  readonly workers: number;
  readonly masters: number;
  /** Of a row's longest column. */
  readonly bytes: number;
  readonly acceptedPerSecond: number;
  readonly persistedPerSecond: number;
  readonly putP99Ms: number;
  /** Processor time of a write, in µs. */
  readonly micros: {
    readonly app: number;
    readonly redis: number;
    readonly workers: number;
    readonly postgres: number | undefined;
  };
  readonly isRight: boolean;
}

export interface Hot {
  readonly addsPerSecond: number;
  readonly isRight: boolean;
  /** Of the neighbours' puts: beside the counter, and without it. */
  readonly putP99Ms: { readonly beside: number; readonly alone: number };
  readonly persistedP99Ms: { readonly beside: number; readonly alone: number };
}

export interface Backlog {
  readonly records: number;
  /** By how many records were there before. */
  readonly puts: readonly { readonly before: number; readonly p50Ms: number; readonly p99Ms: number }[];
  readonly bytesPerRecord: number;
  /** The longest that Redis was in one seal, in ms. */
  readonly sealMaxMs: number;
  readonly drainedPerSecond: number;
  readonly isRight: boolean;
}

const inFlight = 256;
const warmUpRows = 3_000;
const rowsUsual = 40_000;
const bytesUsual = 40;
/** Of a row's longest column; about as many of all rows together. */
const sizes = [200, 2_000, 20_000, 200_000, 900_000] as const;
const bytesOfSize = 40_000_000;
const hotSeconds = 8;
const backlogRecords = 1_000_000;
const backlogSteps = 10;

export async function carry(
  context: BenchContext,
  options: SiteOptions,
  bytes = bytesUsual,
): Promise<Carried> {
  const site = await openSite(context, options);
  try {
    await write(context, site, { rows: Math.ceil(warmUpRows * context.scale), bytes: bytesUsual });
    const usual = bytes === bytesUsual ? rowsUsual : Math.min(rowsUsual, bytesOfSize / bytes);
    const rows = Math.max(8, Math.ceil(usual * context.scale));
    await context.place.prisma.$executeRawUnsafe('TRUNCATE clients CASCADE');
    const before = await site.used();
    const written = await write(context, site, { rows, bytes });
    const after = await site.used();
    const [redis, workers] = [after.redis - before.redis, after.workers - before.workers];
    const micro = (ms: number): number => round((1_000 * ms) / rows);
    const postgres = after.postgres === undefined ? undefined : after.postgres - (before.postgres ?? 0);
    return {
      workers: options.workers,
      masters: options.cluster?.urls.length ?? 1,
      bytes,
      acceptedPerSecond: round((1_000 * rows) / written.acceptedMs),
      persistedPerSecond: round((1_000 * rows) / written.persistedMs),
      putP99Ms: round(written.p99Ms),
      micros: {
        app: micro(written.appCpuMs),
        redis: micro(redis),
        workers: micro(workers),
        postgres: postgres === undefined ? undefined : micro(postgres),
      },
      isRight: (await rightRows(context, bytes)) === rows,
    };
  } finally {
    await site.close();
  }
}

async function write({ signal }: BenchContext, { app }: Site, order: { rows: number; bytes: number }) {
  signal.throwIfAborted();
  const { ms, cpuMs, p99Ms } = await app.ask('write', { from: 0, inFlight, ...order });
  const drained = await app.ask('drain');
  return { acceptedMs: ms, persistedMs: ms + drained.ms, appCpuMs: cpuMs + drained.cpuMs, p99Ms };
}

async function rightRows({ place: { prisma } }: BenchContext, bytes: number): Promise<number> {
  const [found] = await prisma.$queryRawUnsafe<{ count: number }[]>(
    'SELECT count(*)::int AS count FROM clients WHERE email = $1',
    'n'.repeat(bytes),
  );
  return found?.count ?? 0;
}

export async function carrySizes(context: BenchContext): Promise<Carried[]> {
  const carried: Carried[] = [];
  for (const bytes of sizes) {
    context.progress.step(`rows of ${count(bytes)} bytes`);
    carried.push(await carry(context, { workers: 1 }, bytes));
  }
  return carried;
}

export async function countHot(context: BenchContext): Promise<Hot> {
  const site = await openSite(context, { workers: 1 });
  try {
    const seconds = Math.max(1, hotSeconds * context.scale);
    context.progress.step('puts without a hot counter beside them');
    await site.app.ask('count', { seconds: 1, isHot: true });
    await site.app.ask('drain');
    const { views: before } = await views(context);
    const alone = await site.app.ask('count', { seconds, isHot: false });
    context.progress.step('one hot counter');
    const beside = await site.app.ask('count', { seconds, isHot: true });
    await site.app.ask('drain');
    const { views: after } = await views(context);
    return {
      addsPerSecond: round(beside.addsPerSecond),
      isRight: Number(after - before) === Math.round(beside.addsPerSecond * seconds),
      putP99Ms: { beside: round(beside.putP99Ms), alone: round(alone.putP99Ms) },
      persistedP99Ms: { beside: round(beside.persistedP99Ms), alone: round(alone.persistedP99Ms) },
    };
  } finally {
    await site.close();
  }
}

async function views({ place: { prisma } }: BenchContext): Promise<{ views: bigint }> {
  return prisma.project.findUniqueOrThrow({ where: { id: 'hot' }, select: { views: true } });
}

export async function pileUp(context: BenchContext): Promise<Backlog> {
  const { place, progress, scale } = context;
  const records = Math.ceil(backlogRecords * scale);
  await place.prisma.$executeRawUnsafe('TRUNCATE clients CASCADE');
  const site = await openSite(context, { workers: 0 });
  try {
    const bytesBefore = await usedBytes(place.redis);
    const puts: Backlog['puts'][number][] = [];
    for (let step = 0; step < backlogSteps; step++) {
      const [from, rows] = [Math.floor((step * records) / backlogSteps), Math.ceil(records / backlogSteps)];
      progress.step(`a backlog of ${count(from)} records`);
      const { p50Ms, p99Ms } = await site.app.ask('write', { from, rows, bytes: bytesUsual, inFlight });
      puts.push({ before: from, p50Ms: round(p50Ms), p99Ms: round(p99Ms) });
    }
    const bytesPerRecord = Math.round(((await usedBytes(place.redis)) - bytesBefore) / records);
    progress.step(`draining ${count(records)} records`);
    await place.redis.config('RESETSTAT');
    await place.redis.config('SET', 'latency-monitor-threshold', '1');
    await site.startWorkers(1);
    const { ms } = await site.app.ask('drain');
    const sealMaxMs = await longestCommandMs(place.redis);
    const isRight = (await rightRows(context, bytesUsual)) === records;
    return {
      records,
      puts,
      bytesPerRecord,
      sealMaxMs,
      drainedPerSecond: round((1_000 * records) / ms),
      isRight,
    };
  } finally {
    await place.redis.config('SET', 'latency-monitor-threshold', '0');
    await site.close();
  }
}

async function usedBytes(redis: BenchContext['place']['redis']): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
}

/** While a backlog is drained the seals are the longest, by far. https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency-monitor/ */
async function longestCommandMs(redis: BenchContext['place']['redis']): Promise<number> {
  const latest = (await redis.call('LATENCY', 'LATEST')) as [
    event: string,
    at: number,
    last: number,
    max: number,
  ][];
  return Math.max(0, ...latest.filter(([event]) => event === 'command').map(([, , , max]) => max));
}

function round(value: number): number {
  return value < 10 ? Math.round(100 * value) / 100 : Math.round(value);
}
