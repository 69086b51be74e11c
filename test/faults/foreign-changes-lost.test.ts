/** A change worker whose feed is lost, that is killed or paused, that stands by; and commits that are not to be seen yet. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PostgresServer, startPostgresServer } from '../../dev/services/postgres-server.js';
import { createPrisma } from '../../examples/platform/prisma.js';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import type { ForebayEvent } from '../../src/events.js';
import type { ChangesService } from '../../src/services/changes/changes.js';
import { setUpChanges } from '../../src/services/changes/setup.js';
import { TcpProxy } from '../../verify/place/tcp-proxy.js';
import { startChangeWorker, toldUpToNow } from '../support/change-worker.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.js';
import { startWorkerProcess } from '../support/worker-process.js';

type App = Forebay<(typeof stores)['definitions']>;
type Opened = Extract<ForebayEvent, { type: 'changes.opened' }>;

let folder: string;
let server: PostgresServer;
let environment: Environment;
let app: App;
let closers: (() => Promise<unknown>)[];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'forebay-postgres-'));
  // Commits that ask for it wait for a standby that there is not.
  const extraArgs = ['-c', 'synchronous_standby_names=nobody', '-c', 'synchronous_commit=local'];
  server = await startPostgresServer({ folder, extraArgs });
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  environment = await createEnvironment({ databaseUrl: server.url });
  app = await environment.connect(stores);
  closers = [];
});

afterEach(async () => {
  for (const close of closers.reverse()) await close();
  await environment.close();
  await expect.poll(slots).toBe(0);
});

const sql = (text: string): Promise<number> => environment.prisma.$executeRawUnsafe(text);

async function slots(): Promise<number> {
  const prisma = createPrisma(server.url, { connections: 1, name: 'slots' });
  const rows = await prisma.$queryRawUnsafe<object[]>('SELECT FROM pg_replication_slots');
  await prisma.$disconnect();
  return rows.length;
}

const put = (name: string): Promise<number> =>
  sql(`INSERT INTO clients (id, name, updated_at) VALUES ('c', '${name}', now())
    ON CONFLICT (id) DO UPDATE SET name = excluded.name`);
const nameOf = async (): Promise<string | undefined> => (await app.stores.clients.get('c'))?.name;
const seen = (name: string) => expect.poll(nameOf, { interval: 5 }).toBe(name);

async function started(
  databaseUrl: string,
): Promise<{ worker: ChangesService; opened(): Opened[]; types(): string[] }> {
  const events: ForebayEvent[] = [];
  const onEvent = (event: ForebayEvent): void => void events.push(event);
  const worker = await startChangeWorker(environment, stores, { databaseUrl, onEvent });
  closers.push(() => worker.stop(5_000));
  return {
    worker,
    types: () => events.map(({ type }) => type),
    opened: () => events.filter((event) => event.type === 'changes.opened'),
  };
}

describe('a change worker', () => {
  it.each<[string, (proxy: TcpProxy) => unknown]>([
    ['is cut', (proxy) => proxy.cut()],
    // Longer than it takes to notice.
    ['falls silent', (proxy) => void proxy.silence(60_000, { isTotal: false, isCut: true })],
  ])('whose connection %s begins anew, and what changed meanwhile is seen', async (_, interfere) => {
    const proxy = await TcpProxy.start(() => server.port);
    closers.push(() => proxy.close());
    const url = new URL(environment.env.DATABASE_URL);
    url.port = String(proxy.port);
    const { opened, types } = await started(url.href);
    await put('old');
    await seen('old');
    await interfere(proxy);
    await put('new');
    await expect.poll(opened).toHaveLength(2);
    expect(opened().map(({ isCold }) => isCold)).toEqual([true, true]);
    expect(types()).toContain('changes.lost');
    await seen('new');
    await put('newer');
    await seen('newer');
  });

  it('goes on when Postgres was started again; values that are cached are read meanwhile', async () => {
    const { opened } = await started(environment.env.DATABASE_URL);
    await put('old');
    await toldUpToNow(environment);
    expect(await nameOf()).toBe('old');
    await server.kill();
    expect(await nameOf()).toBe('old');
    await server.restart();
    await expect.poll(() => put('new').catch(() => undefined)).toBe(1);
    await expect.poll(opened).toHaveLength(2);
    await seen('new');
  });

  it('that was killed leaves no slot; the next one drops what was cached, for changes may have been missed', async () => {
    const first = await startedProcess();
    await put('old');
    await toldBy(first, 'changes.dropped');
    expect(await nameOf()).toBe('old');
    await first.kill();
    await expect.poll(slots).toBe(0);
    await put('new');
    expect(await nameOf()).toBe('old');
    const { opened } = await started(environment.env.DATABASE_URL);
    await expect.poll(opened).toEqual([{ type: 'changes.opened', isCold: true }]);
    expect(await nameOf()).toBe('new');
  });

  it('that stands by takes over from one that is paused or stops, and the cache stays warm', async () => {
    const first = await startedProcess();
    const second = await started(environment.env.DATABASE_URL);
    await sql(
      "INSERT INTO clients (id, name, updated_at) VALUES ('c', 'old', now()), ('warm', 'warm', now())",
    );
    await toldBy(first, 'changes.dropped');
    await toldUpToNow(environment);
    await app.stores.clients.getMany(['c', 'warm']);
    expect(second.opened()).toEqual([]);
    process.kill(first.pid, 'SIGSTOP');
    await put('new');
    await seen('new');
    expect(second.opened()).toEqual([{ type: 'changes.opened', isCold: false }]);
    expect(await app.stores.clients.explain('warm')).toMatchObject({ state: 'fresh' });
    process.kill(first.pid, 'SIGCONT');
    await second.worker.stop(5_000);
    await put('newer');
    await seen('newer');
    expect(await app.stores.clients.explain('warm')).toMatchObject({ state: 'fresh' });
    expect(first.messages).not.toContain('changes.lost');
  });

  it('that Postgres gives no slot says so when it starts', async () => {
    const physical = (call: string) => sql(`SELECT ${call} FROM generate_series(1, 32) AS i`);
    await physical("pg_create_physical_replication_slot('full_' || i)");
    closers.push(() => physical("pg_drop_replication_slot('full_' || i)"));
    await expect(started(environment.env.DATABASE_URL)).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('all replication slots are in use'),
    });
  });

  it('drops all when Redis was away, for that may have gone back in time', async () => {
    const redis: OwnRedis = await startOwnRedis();
    closers.push(() => redis.remove());
    const config = { ...environment.config, redis: redis.settings };
    const events: ForebayEvent[] = [];
    const onEvent = (event: ForebayEvent): void => void events.push(event);
    const worker = await startChangeWorker(environment, stores, { config, onEvent });
    closers.push(() => worker.stop(5_000));
    const opened = () => events.filter(({ type }) => type === 'changes.opened');
    expect(opened()).toHaveLength(1);
    await redis.restart();
    await expect.poll(opened).toHaveLength(2);
    expect(opened()[1]).toEqual({ type: 'changes.opened', isCold: true });
  });
});

async function startedProcess(): Promise<ServiceProcess<string>> {
  const { prisma, config, env } = environment;
  await setUpChanges({ stores, prisma, databaseUrl: env.DATABASE_URL, prefix: config.prefix });
  const child = await startServiceProcess<string>(environment, 'change-worker.ts');
  closers.push(() => child.kill());
  return child;
}

async function toldBy(child: ServiceProcess<string>, type: string): Promise<void> {
  await expect.poll(() => child.messages).toContain(type);
}

describe('a change', () => {
  it('whose commit is not to be seen yet drops its entry once it is', async () => {
    const { types } = await started(environment.env.DATABASE_URL);
    const dropped = () => types().filter((type) => type === 'changes.dropped');
    await put('old');
    await expect.poll(dropped).toHaveLength(1);
    const writer = createPrisma(environment.env.DATABASE_URL, { connections: 1, name: 'waiting-writer' });
    closers.push(() => writer.$disconnect());
    await writer.$executeRawUnsafe('SET synchronous_commit = on');
    const committing = Promise.all([
      writer.$executeRawUnsafe("UPDATE clients SET name = 'new' WHERE id = 'c'"),
    ]);
    const waiting = () =>
      environment.prisma.$queryRawUnsafe<{ pid: number }[]>(
        "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
      );
    await expect.poll(waiting).toHaveLength(1);
    await sql("INSERT INTO users (id, email, name, updated_at) VALUES ('later', 'x', 'x', now())");
    await expect.poll(dropped).toHaveLength(2);
    expect(await nameOf()).toBe('old');
    const [{ pid } = { pid: 0 }] = await waiting();
    await environment.prisma.$queryRawUnsafe(`SELECT pg_cancel_backend(${pid})`);
    await committing;
    await seen('new');
  });

  it('that comes between a commit of forebay’s and its acknowledgement is seen behind that', async () => {
    const { types } = await started(environment.env.DATABASE_URL);
    const dying = await startWorkerProcess(environment, { at: 'batch.applied', action: 'exit' });
    await app.stores.clients.put({ id: 'c', name: 'mine' });
    await dying.exited();
    await put('theirs');
    await expect.poll(types, { interval: 5 }).toContain('rows.foreign');
    expect(await nameOf()).toBe('mine');
    await environment.startWorker(stores);
    await seen('theirs');
  });
});
