/** Writers of chance beside forebay's own traffic: no read is older than what was told to be dropped before it began. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { changesKeys } from '../../src/keys.js';
import type { ChangesService } from '../../src/services/changes/changes.js';
import { startChangeWorker } from '../support/change-worker.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { randomNumbers } from '../support/random.js';

const stores = defineStores({ clients: record({ model: Client, partitions: 2, delayMs: 5 }) });
type App = Forebay<(typeof stores)['definitions']>;

const rounds = 120;
const idsOf = (writer: string, count: number) => Array.from({ length: count }, (_, i) => `${writer}${i}`);
const writers = ['a', 'b', 'c'].map((name) => ({ name, ids: idsOf(name, 4) }));
/** Written by both: forebay patches addresses, others names. */
const sharedIds = idsOf('shared', 6);

let environment: Environment;
let apps: App[];
let changes: ChangesService;

beforeAll(async () => {
  environment = await createEnvironment();
  await environment.startWorker(stores);
  apps = [await environment.connect(stores), await environment.connect(stores)];
  changes = await startChangeWorker(environment, stores);
});

afterAll(async () => {
  await changes.stop(5_000);
  await environment.close();
});

/** What a row of others held since a position of the WAL: a number that grows, or nothing. */
interface State {
  readonly lsn: bigint;
  readonly number: number;
  readonly isThere: boolean;
}

const states = new Map<string, State[]>(writers.flatMap(({ ids }) => ids.map((id) => [id, []])));

const sql = (text: string): Promise<number> => environment.prisma.$executeRawUnsafe(text);

async function lsnNow(): Promise<bigint> {
  const [row] = await environment.prisma.$queryRawUnsafe<{ lsn: string }[]>(
    "SELECT (pg_current_wal_insert_lsn() - '0/0')::text AS lsn",
  );
  return BigInt(row?.lsn ?? 0);
}

/** All that was committed up to here is dropped. */
async function toldLsn(): Promise<bigint> {
  const text = await environment.redis.get(changesKeys(environment.config.prefix).told);
  return BigInt(text?.split(' ')[1] ?? 0);
}

const listed = (ids: readonly string[]): string => ids.map((id) => `'${id}'`).join(', ');

async function write(ids: readonly string[], random: () => number): Promise<void> {
  for (let number = 1; number <= rounds; number++) {
    const some = random() < 0.2 ? ids : ids.filter(() => random() < 0.4);
    const isThere = random() < 0.8;
    if (some.length === 0) continue;
    // Before the statement, for a read may see it before it is answered.
    for (const id of some) states.get(id)?.push({ lsn: 2n ** 64n, number, isThere });
    const values = some.map((id) => `('${id}', '${number}', now())`).join(', ');
    await sql(
      isThere
        ? `INSERT INTO clients (id, name, updated_at) VALUES ${values} ON CONFLICT (id) DO UPDATE SET name = excluded.name`
        : `DELETE FROM clients WHERE id IN (${listed(some)})`,
    );
    const lsn = await lsnNow();
    for (const id of some) states.get(id)?.splice(-1, 1, { lsn, number, isThere });
    if (random() < 0.3)
      await sql(`UPDATE clients SET name = '${number}' WHERE id LIKE 'shared%' AND random() < 0.5`);
  }
}

async function patch(app: App, random: () => number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const id = sharedIds[Math.floor(random() * sharedIds.length)] as string;
    await app.stores.clients.patch(id, { email: `${round}@x` });
    if (random() < 0.2) await app.stores.clients.put({ id: `own${round % 9}`, name: String(round) });
  }
}

let reads = 0;

/** Of an id: the number of the newest state that was told; a read that begins now gives no older one. */
async function checkedRead(app: App, ids: readonly string[]): Promise<void> {
  const told = await toldLsn();
  const least = ids.map((id) =>
    Math.max(0, ...(states.get(id) ?? []).filter(({ lsn }) => lsn <= told).map(({ number }) => number)),
  );
  const rows = await app.stores.clients.getMany(ids);
  for (const [i, id] of ids.entries()) {
    const isAllowed = ({ number, isThere }: State): boolean =>
      number >= (least[i] as number) && (isThere ? rows[i]?.name === String(number) : rows[i] === null);
    const isFirst = least[i] === 0 && rows[i] === null;
    expect(isFirst || states.get(id)?.some(isAllowed), `${id}: ${rows[i]?.name} after ${least[i]}`).toBe(
      true,
    );
    reads += 1;
  }
}

it('no read is older than what was told before it began; in the end all entries are as the rows', async () => {
  await sql(
    `INSERT INTO clients (id, name, updated_at) VALUES ${sharedIds.map((id) => `('${id}', '0', now())`).join(', ')}`,
  );
  const traffic = [
    ...writers.map(({ ids }, i) => write(ids, randomNumbers(i + 1))),
    ...apps.map((app, i) => patch(app, randomNumbers(i + 11))),
  ];
  let isOver = false;
  const over = Promise.all(traffic).finally(() => {
    isOver = true;
  });
  const readers = apps.map(async (app) => {
    while (!isOver) for (const { ids } of writers) await checkedRead(app, ids);
  });
  await Promise.all([over, ...readers]);
  expect(reads).toBeGreaterThan(200);
  await apps[0]?.flush();
  const end = await lsnNow();
  await expect.poll(toldLsn).toBeGreaterThanOrEqual(end);
  const ids = [...states.keys(), ...sharedIds];
  const rows = await environment.prisma.client.findMany({ where: { id: { in: ids } } });
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const app of apps)
    expect(await app.stores.clients.getMany(ids)).toEqual(ids.map((id) => byId.get(id) ?? null));
});
