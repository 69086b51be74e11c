/** An app's process: answers requests for pages, in the way that it is told. */
import { Redis } from 'ioredis';
import { loadProjectDetails, loadProjectStatistics } from '../../src/domain/loaders.js';
import { createPrisma } from '../../src/domain/prisma.js';
import { connect, defineStores, readConfig, requireDatabaseUrl } from '../../src/index.js';
import { serve } from '../serve.js';
import { issue } from '../write-behind/in-flight.js';
import { requireVariable } from '../write-behind/variable.js';
import { tasksPerProject } from './page-rows.js';

export const ways = ['no cache', 'ioredis by hand', 'forebay, without memory', 'forebay'] as const;
export type Way = (typeof ways)[number];

export interface ReplayAppHandlers {
  open(way: Way): Promise<void>;
  replay(ids: readonly string[]): Promise<ReplayFigures>;
}

/** Of one process. */
export interface ReplayFigures {
  readonly startedAt: number;
  readonly endedAt: number;
  /** Requests that the database was asked for. */
  readonly loads: number;
  /** Answers that were not the page that was asked for. */
  readonly wrong: number;
  /** Each request, in ms. */
  readonly tookMs: readonly number[];
}

type Page = { readonly id: string; readonly tasks: number };
type Read = (id: string, load: () => Promise<Page>) => Promise<Page | null>;

const inFlight = 32;
const ttlSeconds = 3_600;
const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 10, name: 'bench-replay' });
let read: Read;
let close = async (): Promise<void> => undefined;

/** What a page needs: two queries. */
async function loadPage(id: string): Promise<Page> {
  const context = { prisma, signal: new AbortController().signal };
  const [details, statistics] = await Promise.all([
    loadProjectDetails([id], context),
    loadProjectStatistics([id], context),
  ]);
  const project = details.get(id);
  // JSON by hand knows no BigInt.
  return { ...project, views: Number(project?.views), ...statistics.get(id) } as unknown as Page;
}

const open: Record<Way, () => Promise<void>> = {
  'no cache': async () => {
    read = (_, load) => load();
  },
  'ioredis by hand': async () => {
    const redis = new Redis(requireVariable('REDIS_URL'), { enableAutoPipelining: true });
    const prefix = `${requireVariable('FOREBAY_PREFIX')}-hand`;
    read = async (id, load) => {
      const found = await redis.get(`${prefix}:${id}`);
      if (found !== null) return JSON.parse(found) as Page;
      const page = await load();
      await redis.set(`${prefix}:${id}`, JSON.stringify(page), 'EX', ttlSeconds);
      return page;
    };
    close = async () => void (await redis.quit());
  },
  'forebay, without memory': () => openForebay('redis', { l1: false }),
  forebay: () => openForebay('memory', {}),
};

async function openForebay(name: string, cache: { l1?: false }): Promise<void> {
  const prefix = `${config.prefix}-${name}`;
  const app = await connect(defineStores({}), { prisma, config: { ...config, prefix }, cache });
  read = (id, load) => app.patterns.cacheAside(`project:page:${id}`, load, ttlSeconds);
  close = () => app.close();
}

const handlers: ReplayAppHandlers = {
  open: async (way) => {
    await close();
    close = async () => undefined;
    await open[way]();
  },
  async replay(ids) {
    let [loads, wrong] = [0, 0];
    const tookMs: number[] = [];
    const answer = async (at: number): Promise<void> => {
      const id = ids[at] as string;
      const startedAt = performance.now();
      const page = await read(id, () => {
        loads += 1;
        return loadPage(id);
      });
      tookMs.push(performance.now() - startedAt);
      if (page?.id !== id || page.tasks !== tasksPerProject) wrong += 1;
    };
    const { startedAt, acceptedAt } = await issue(answer, {
      calls: ids.length,
      inFlight,
      onProgress: () => undefined,
    });
    return { startedAt, endedAt: acceptedAt, loads, wrong, tookMs };
  },
};

serve(handlers, async () => {
  await close();
  await prisma.$disconnect();
});
