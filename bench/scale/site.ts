/** An app, some workers, one Redis or a cluster of three masters: and what each part uses. */
import { Redis } from 'ioredis';
import type { BenchContext } from '../bench.js';
import { type Child, startChild } from '../child.js';
import { redisCpuMs } from '../redis-cpu.js';
import type { WorkerHandlers } from '../serve-worker.js';
import { postgresCpuMs } from './postgres-cpu.js';
import type { ScaleAppHandlers } from './scale-app.js';

export interface SiteOptions {
  readonly workers: number;
  /** Of a cluster; undefined: the place's one server. */
  readonly cluster?: { readonly urls: readonly string[]; readonly env: NodeJS.ProcessEnv } | undefined;
}

/** Processor time, in ms. */
export interface Used {
  readonly workers: number;
  readonly redis: number;
  /** Undefined where it can't be read. */
  readonly postgres: number | undefined;
}

export interface Site {
  readonly app: Child<ScaleAppHandlers>;
  /** Each an URL's own connection. */
  readonly servers: readonly Redis[];
  used(): Promise<Used>;
  startWorkers(count: number): Promise<void>;
  close(): Promise<void>;
}

export async function openSite({ place, signal }: BenchContext, options: SiteOptions): Promise<Site> {
  const { workers: count, cluster } = options;
  const env = { ...place.env, ...cluster?.env };
  const servers = cluster?.urls.map((url) => new Redis(url)) ?? [place.redis];
  const workers: Child<WorkerHandlers>[] = [];
  const app = await startChild<ScaleAppHandlers>('scale/scale-app.ts', { env, signal });
  const site: Site = {
    app,
    servers,
    async used() {
      const own = await Promise.all(workers.map((worker) => worker.ask('cpuMs')));
      const redis = await Promise.all(servers.map(redisCpuMs));
      return { workers: sum(own), redis: sum(redis), postgres: await postgresCpuMs(place.prisma) };
    },
    async startWorkers(more) {
      for (let i = 0; i < more; i++)
        workers.push(await startChild<WorkerHandlers>('scale/scale-worker.ts', { env, signal }));
    },
    async close() {
      await Promise.all([app, ...workers].map((child) => child.stop()));
      if (cluster) for (const server of servers) server.disconnect();
    },
  };
  try {
    await site.startWorkers(count);
    return site;
  } catch (error) {
    await site.close();
    throw error;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
