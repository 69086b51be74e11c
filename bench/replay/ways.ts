/** The ways in which an app reads a page: without a cache, through Redis by hand, and through forebay. */
import { Redis } from 'ioredis';
import type { PrismaClient } from '../../examples/platform/generated/prisma/client.js';
import { connect, defineStores, readConfig } from '../../src/index.js';
import { requireVariable } from '../write-behind/variable.js';
import type { Page } from './page.js';

export interface Reader {
  /** The cached page, else the loaded one. */
  read(id: string, load: () => Promise<Page>): Promise<Page | null>;
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly prisma: PrismaClient;
  /** What its keys in Redis begin with; the app's other processes have the same. */
  readonly prefix: string;
}

export type Way = keyof typeof ways;

/** Longer than the bench. */
const ttlSeconds = 3_600;

const ways = {
  'no cache': openNoCache,
  'ioredis by hand': openByHand,
  'forebay, without memory': (options: OpenOptions) => openForebay(options, { l1: false }),
  forebay: (options: OpenOptions) => openForebay(options, {}),
};

export function openWay(way: Way, options: OpenOptions): Promise<Reader> {
  return ways[way](options);
}

async function openNoCache(): Promise<Reader> {
  return { read: (_, load) => load(), close: async () => undefined };
}

async function openByHand({ prefix }: OpenOptions): Promise<Reader> {
  const redis = new Redis(requireVariable('REDIS_URL'), { enableAutoPipelining: true });
  return {
    async read(id, load) {
      const found = await redis.get(`${prefix}:${id}`);
      if (found !== null) return JSON.parse(found) as Page;
      const page = await load();
      await redis.set(`${prefix}:${id}`, JSON.stringify(page), 'EX', ttlSeconds);
      return page;
    },
    close: async () => void (await redis.quit()),
  };
}

async function openForebay({ prisma, prefix }: OpenOptions, cache: { l1?: false }): Promise<Reader> {
  const config = { ...readConfig(), prefix };
  const app = await connect(defineStores({}), { prisma, config, cache });
  return {
    read: (id, load) => app.patterns.cacheAside(`project:page:${id}`, load, ttlSeconds),
    close: () => app.close(),
  };
}
