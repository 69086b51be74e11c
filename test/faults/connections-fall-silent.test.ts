/**
 * Connections that stay open and bring nothing any more, as when a cable is pulled or a network forgets them: each is found
 * within 20 s, and the next one works. One test for all, for they wait.
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createPrisma } from '../../examples/platform/prisma.js';
import { type ConnectionRole, closeConnections, openConnections } from '../../src/connection/redis.js';
import { redisSettings } from '../../src/redis-settings.js';
import { TcpProxy } from '../../verify/place/tcp-proxy.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const foundMaxMs = 20_000;
const backMaxMs = 3_000;

let environment: Environment;
let proxies: TcpProxy[];

beforeEach(async () => {
  environment = await createEnvironment();
  proxies = [];
});

afterEach(async () => {
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await environment.close();
});

async function proxyBefore(url: string): Promise<{ proxy: TcpProxy; url: string }> {
  const target = new URL(url);
  const port = Number(target.port);
  const proxy = await TcpProxy.start(() => port);
  proxies.push(proxy);
  target.port = String(proxy.port);
  return { proxy, url: target.toString() };
}

/** Those that are there; for longer than the test takes. */
function silence(proxy: TcpProxy): void {
  void proxy.silence(120_000, { isTotal: false, isCut: false });
}

/** How long a call waits on the connection that has fallen silent, and another after it. */
async function timesOf(call: () => Promise<unknown>): Promise<{ foundMs: number; backMs: number }> {
  const startedAt = performance.now();
  await call().catch(() => undefined); // that it fails, or comes back on the next connection, is told by the times
  const foundAt = performance.now();
  await expect
    .poll(
      () =>
        call().then(
          () => true,
          () => false,
        ),
      { interval: 50 },
    )
    .toBe(true);
  return { foundMs: foundAt - startedAt, backMs: performance.now() - foundAt };
}

interface Peer {
  readonly name: string;
  readonly proxy: TcpProxy;
  readonly call: () => Promise<unknown>;
  readonly end: () => Promise<unknown>;
}

async function postgresPeer(): Promise<Peer> {
  const { proxy, url } = await proxyBefore(environment.env.DATABASE_URL);
  const prisma = createPrisma(url, { connections: 1, name: 'silent' });
  await prisma.$queryRawUnsafe('SELECT 1');
  const call = () => prisma.$queryRawUnsafe('SELECT 1');
  return { name: 'Postgres', proxy, call, end: () => prisma.$disconnect() };
}

async function redisPeer(role: ConnectionRole): Promise<Peer> {
  const { proxy, url } = await proxyBefore(environment.env.REDIS_URL);
  const connections = await openConnections({ it: [redisSettings(url), role] }, () => undefined);
  const end = () => closeConnections(connections, 1_000);
  return { name: `Redis, for ${role}`, proxy, call: () => connections.it.ping(), end };
}

it('a connection that falls silent is found within 20 s, the next works within 3 s, and a slow statement is let be', async () => {
  const roles: readonly ConnectionRole[] = ['reads', 'writes', 'queue', 'worker', 'jobs', 'subscriber'];
  const peers = [await postgresPeer(), ...(await Promise.all(roles.map(redisPeer)))];
  const seconds = foundMaxMs / 1_500;
  const slow = environment.prisma.$queryRawUnsafe(`SELECT 'waited' AS word FROM pg_sleep(${seconds})`);
  for (const { proxy } of peers) silence(proxy);
  const times = await Promise.all(peers.map(async ({ name, call }) => ({ name, ...(await timesOf(call)) })));
  process.stderr.write(`${JSON.stringify(times)}\n`);
  for (const { name, foundMs, backMs } of times) {
    expect(foundMs, name).toBeLessThan(foundMaxMs);
    expect(backMs, name).toBeLessThan(backMaxMs);
  }
  expect(await slow).toEqual([{ word: 'waited' }]);
  await Promise.all(peers.map(({ end }) => end()));
});
