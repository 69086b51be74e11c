import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PostgresServer, startPostgresServer } from '../../dev/services/postgres-server.js';
import { stores } from '../../src/domain/stores.js';
import { drained } from '../support/drained.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { Traffic } from '../support/traffic.js';

let folder: string;
let server: PostgresServer;
let environment: Environment | undefined;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'forebay-postgres-'));
  server = await startPostgresServer({ folder });
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

afterEach(() => environment?.close());

describe('while the database is away', () => {
  it.each(['stop', 'kill'] as const)(
    'writes are accepted and read, and drain by themselves after its %s',
    async (way) => {
      environment = await createEnvironment({ databaseUrl: server.url });
      const app = await environment.connect(stores);
      const traffic = new Traffic(app);
      await environment.startWorker(stores);
      await traffic.round(50);
      await app.flush();
      await server[way]();
      await traffic.round(50);
      await app.stores.projects.put({ id: 'during', name: 'during' });
      expect(await app.stores.projects.get('during')).toMatchObject({ name: 'during' });
      await expect.poll(() => failures(), { timeout: 20_000 }).toContain('unavailable');
      await server.restart();
      await traffic.round(50);
      await app.stores.projects.delete('during');
      await drained(app, 60_000);
      await traffic.expectExact(environment.prisma);
      expect(new Set(failures())).toEqual(new Set(['unavailable']));
    },
  );
});

function failures(): string[] {
  return environment?.events.flatMap((event) => (event.type === 'batch.failed' ? [event.reason] : [])) ?? [];
}
