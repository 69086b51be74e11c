import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { keptPort } from '../../dev/services/ports.js';
import { type RedisServer, startRedisServer } from '../../dev/services/redis-server.js';
import { openConnections, type RedisClient } from '../../src/connection/redis.js';
import type { ForebayEvent } from '../../src/events.js';
import type { RedisSettings } from '../../src/redis-settings.js';
import { LateNetwork } from '../support/late-network.js';

const certificate = tlsFile('certificate.pem');
const kinds = ['server', 'server by TLS', 'cluster'] as const;

let folder: string;
let server: RedisServer;
let direct: Redis;
let network: LateNetwork;
let client: RedisClient;
const events: ForebayEvent[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'forebay-given-up-'));
});

afterAll(() => rm(folder, { recursive: true }));

afterEach(async () => {
  events.length = 0;
  client.disconnect();
  direct.disconnect();
  await network.close();
  await server.stop();
});

describe('what was sent on a connection that is given up', () => {
  it.each(kinds)(
    'to a %s, and comes late, is not executed behind what is sent on the next one',
    async (kind) => {
      await open(kind);
      network.hold();
      await expect(client.set('a', 'in doubt')).rejects.toThrow();
      await expect.poll(() => client.set('a', 'later').catch(String)).toBe('OK');
      await network.deliver();
      expect(await direct.get('a')).toBe('later');
    },
  );

  it.each(['server', 'cluster'] as const)('to a %s is dropped by the system', async (kind) => {
    await open(kind);
    network.hold();
    await expect(client.set('a', 'in doubt')).rejects.toThrow();
    await expect.poll(() => network.ends).toContain('ECONNRESET');
  });

  it('and may come late, for the user lacks a right, is told with the right', async () => {
    await open('server');
    await direct.call('ACL', 'SETUSER', 'default', '-client|kill');
    expect(events).toEqual([]);
    network.hold();
    await expect(client.set('a', 'in doubt')).rejects.toThrow();
    await expect.poll(() => client.set('a', 'later').catch(String)).toBe('OK');
    expect(events).toContainEqual({
      type: 'server.warning',
      what: expect.stringContaining('a write in doubt may come behind later ones'),
      advice: expect.stringContaining('CLIENT KILL'),
    });
  });
});

/** A server, and a client that reaches it by the network. */
async function open(kind: (typeof kinds)[number]): Promise<void> {
  network = new LateNetwork();
  const port = await network.start();
  const at = await mkdtemp(path.join(folder, 'server-'));
  const tlsPort = await keptPort(path.join(at, 'tls-port'));
  const extraArgs = {
    server: [],
    'server by TLS': [
      ...['--tls-port', `${tlsPort}`, '--tls-auth-clients', 'no'],
      ...['--tls-cert-file', certificate, '--tls-key-file', tlsFile('key.pem')],
      ...['--tls-ca-cert-file', certificate],
    ],
    cluster: [
      ...['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'],
      ...['--cluster-announce-port', `${port}`],
    ],
  }[kind];
  server = await startRedisServer({ folder: at, password: '', extraArgs });
  network.target = kind === 'server by TLS' ? tlsPort : server.port;
  direct = new Redis(server.url);
  if (kind === 'cluster') await serveAllSlots();
  // In a cluster ioredis sends what is in doubt again, but for writes.
  const role = kind === 'cluster' ? 'writes' : 'cache';
  ({ client } = await openConnections({ client: [settingsOf(kind, port), role] }, (event) => {
    if (event.type !== 'redis.error') events.push(event);
  }));
}

async function serveAllSlots(): Promise<void> {
  await direct.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
  await expect.poll(() => direct.call('CLUSTER', 'INFO')).toContain('cluster_state:ok');
}

function settingsOf(kind: (typeof kinds)[number], port: number): RedisSettings {
  const address = { host: 'localhost', port };
  if (kind === 'cluster') return { nodes: [address], db: 0, tls: false };
  return { ...address, db: 0, tls: kind === 'server by TLS' && { ca: readFileSync(certificate, 'utf8') } };
}

function tlsFile(name: string): string {
  return fileURLToPath(new URL(`../support/tls/${name}`, import.meta.url));
}
