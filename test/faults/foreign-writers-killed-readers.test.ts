/**
 * Writers of chance beside forebay's own traffic, while change workers are killed and paused: what one of them has told is true.
 * FOREIGN_WRITES: how many rows the others write, up to a million.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import { setUpChanges } from '../../src/services/changes/setup.js';
import { toldUpToNow } from '../support/change-worker.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { randomNumbers } from '../support/random.js';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.js';

type App = Forebay<(typeof stores)['definitions']>;
type Reader = ServiceProcess<string>;

const foreignWrites = Number(process.env.FOREIGN_WRITES ?? 2_000);
const rounds = Math.max(3, Math.ceil(foreignWrites / 5_000));
const rowsOfStatement = 25;
const idsOf = (writer: string, count: number) => Array.from({ length: count }, (_, i) => `${writer}${i}`);
const foreignIds = idsOf('foreign', 400);
/** Written by both: forebay patches addresses, others names. */
const sharedIds = idsOf('shared', 20);
const ownIds = idsOf('own', 20);
const random = randomNumbers(Number(process.env.FOREIGN_WRITES_SEED ?? 29));

let environment: Environment;
let app: App;
let readers: Reader[];

beforeAll(async () => {
  environment = await createEnvironment();
  const { prisma, config, env } = environment;
  await setUpChanges({ stores, prisma, databaseUrl: env.DATABASE_URL, prefix: config.prefix });
  await environment.startWorker(stores);
  app = await environment.connect(stores);
  readers = [await startReader(), await startReader()];
});

afterAll(async () => {
  await Promise.all(readers.map((reader) => reader.kill()));
  await environment.close();
});

const startReader = (): Promise<Reader> => startServiceProcess<string>(environment, 'change-worker.ts');
const sql = (text: string): Promise<number> => environment.prisma.$executeRawUnsafe(text);
const oneOf = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
const someOf = (ids: readonly string[], count: number): string[] =>
  [...new Set(Array.from({ length: count }, () => oneOf(ids)))].sort();

it('what a worker has told to be dropped is read as its rows; of those that forebay writes too, once its writes are in the database', async () => {
  await sql(upsert([...foreignIds, ...sharedIds], 'first'));
  let written = 0;
  for (let round = 0; round < rounds; round++) {
    let isOver = false;
    const traffic = ownTraffic(round, () => isOver);
    const healed = interfere(round);
    written += await writeForeign(round);
    await healed();
    isOver = true;
    await traffic;
    await toldUpToNow(environment);
    await expectRows(foreignIds);
  }
  expect(written).toBeGreaterThanOrEqual(foreignWrites);
  await app.flush();
  await toldUpToNow(environment);
  await expectRows([...foreignIds, ...sharedIds, ...ownIds]);
});

/** Kills a reader, or pauses it for the round. Returns what brings it back, or another. */
function interfere(round: number): () => Promise<void> {
  const reader = oneOf(readers);
  if (round % 2 === 0) {
    process.kill(reader.pid, 'SIGSTOP');
    return async () => void process.kill(reader.pid, 'SIGCONT');
  }
  const killed = reader.kill();
  return async () => {
    await killed;
    readers = readers.filter((one) => one !== reader);
    readers.push(await startReader());
  };
}

/** The rows that it has written, a round's share or more. */
async function writeForeign(round: number): Promise<number> {
  const share = Math.ceil(foreignWrites / rounds);
  let written = 0;
  while (written < share) {
    const ids = someOf(foreignIds, rowsOfStatement);
    const isDelete = random() < 0.1;
    const name = `${round}.${written}`;
    written += await sql(isDelete ? `DELETE FROM clients WHERE id IN (${listed(ids)})` : upsert(ids, name));
    const shared = listed(someOf(sharedIds, 3));
    // Locked in forebay's order: else now and then it is the deadlock's victim.
    const locked = `SELECT id FROM clients WHERE id IN (${shared}) ORDER BY id FOR UPDATE`;
    written += await sql(`UPDATE clients SET name = '${name}' WHERE id IN (${locked})`);
  }
  return written;
}

const listed = (ids: readonly string[]): string => ids.map((id) => `'${id}'`).join(', ');
const upsert = (ids: readonly string[], name: string): string =>
  `INSERT INTO clients (id, name, updated_at) VALUES ${ids.map((id) => `('${id}', '${name}', now())`).join(', ')}
   ON CONFLICT (id) DO UPDATE SET name = excluded.name`;

/** Writes of forebay's own, and reads, which make the entries that are to be dropped. */
async function ownTraffic(round: number, isOver: () => boolean): Promise<void> {
  const { clients } = app.stores;
  for (let i = 0; !isOver(); i++) {
    await Promise.all([
      clients.patch(oneOf(sharedIds), { email: `${round}.${i}@x` }),
      clients.put({ id: oneOf(ownIds), name: `${round}.${i}` }),
      clients.getMany(someOf(foreignIds, 100)),
      clients.getMany(sharedIds),
    ]);
  }
}

async function expectRows(ids: readonly string[]): Promise<void> {
  const rows = await environment.prisma.client.findMany({ where: { id: { in: [...ids] } } });
  const byId = new Map(rows.map((row) => [row.id, row]));
  expect(await app.stores.clients.getMany(ids)).toEqual(ids.map((id) => byId.get(id) ?? null));
}
