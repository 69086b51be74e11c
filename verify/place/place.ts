/** Where it all happens: servers of its own, apps and workers, and a proxy between each process and each server. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { type PostgresServer, startPostgresServer } from '../../dev/services/postgres-server.js';
import { migrate } from '../../prisma/migrate.js';
import type { FromApp, FromWorker } from '../messages.js';
import { installFsyncMark } from './fsync-mark.js';
import { ProcessSlot } from './process-slot.js';
import { RedisSite } from './redis-site.js';
import { TcpProxy } from './tcp-proxy.js';

export interface Place {
  readonly folder: string;
  readonly redis: RedisSite;
  readonly postgres: PostgresSite;
  readonly apps: readonly ProcessSlot[];
  readonly workers: readonly ProcessSlot[];
  leave(): Promise<void>;
}

export type Listener = (message: FromApp | FromWorker, slot: ProcessSlot) => void;

const appsCount = 2;
const workersCount = 3;

export async function enterPlace(folder: string, onMessage: Listener): Promise<Place> {
  await mkdir(folder, { recursive: true });
  await installFsyncMark(folder);
  const redis = await RedisSite.start(folder);
  const postgres = await PostgresSite.start(folder);
  await migrate({ databaseUrl: postgres.url });
  const proxies: TcpProxy[] = [];
  const slots = await Promise.all(
    slotNames().map(async ({ name, kind }) => {
      const toRedis = await TcpProxy.start(() => redis.port);
      const toPostgres = await TcpProxy.start(() => postgres.port);
      proxies.push(toRedis, toPostgres);
      const env = environment(postgres.url, toRedis, toPostgres);
      return new ProcessSlot({ name, kind, folder, env, redis: toRedis, postgres: toPostgres, onMessage });
    }),
  );
  for (const slot of slots) slot.start();
  return {
    folder,
    redis,
    postgres,
    apps: slots.filter(({ kind }) => kind === 'app'),
    workers: slots.filter(({ kind }) => kind === 'worker'),
    async leave() {
      await Promise.all(slots.map((slot) => slot.end()));
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await redis.stop();
      await postgres.stop();
    },
  };
}

function slotNames() {
  return [
    ...Array.from({ length: appsCount }, (_, nth) => ({ name: `app${nth}`, kind: 'app' as const })),
    ...Array.from({ length: workersCount }, (_, nth) => ({ name: `worker${nth}`, kind: 'worker' as const })),
  ];
}

function environment(databaseUrl: string, redis: TcpProxy, postgres: TcpProxy): NodeJS.ProcessEnv {
  const url = new URL(databaseUrl);
  url.port = String(postgres.port);
  const { PATH, HOME, TMPDIR, LANG } = process.env;
  return {
    PATH,
    HOME,
    TMPDIR,
    LANG,
    DATABASE_URL: url.toString(),
    DIRECT_DATABASE_URL: databaseUrl,
    REDIS_URL: `redis://127.0.0.1:${redis.port}/0`,
    FOREBAY_PREFIX: 'verify',
    LOG_LEVEL: 'silent',
  };
}

export class PostgresSite {
  readonly #server: PostgresServer;
  #isUp = true;

  private constructor(server: PostgresServer) {
    this.#server = server;
  }

  static async start(folder: string): Promise<PostgresSite> {
    return new PostgresSite(await startPostgresServer({ folder: path.join(folder, 'postgres') }));
  }

  get port(): number | undefined {
    return this.#isUp ? this.#server.port : undefined;
  }

  get url(): string {
    return this.#server.url;
  }

  async restart(awayMs: number, isKilled: boolean): Promise<void> {
    this.#isUp = false;
    if (isKilled) await this.#server.kill();
    else await this.#server.stop();
    await new Promise((resolve) => setTimeout(resolve, awayMs));
    await this.#server.restart();
    this.#isUp = true;
  }

  /** Rows as arrays. */
  async query(text: string, values: readonly unknown[]): Promise<unknown[][]> {
    const client = new pg.Client({ connectionString: this.url });
    await client.connect();
    try {
      return (await client.query({ text, values: [...values], rowMode: 'array' })).rows as unknown[][];
    } finally {
      await client.end();
    }
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }
}
