/** The programs of a host of hosts.ts: a Redis; Postgres and a worker; or an app that replays a made history. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startPostgresServer } from '../../dev/services/postgres-server.js';
import { startRedisServer } from '../../dev/services/redis-server.js';
import { createPrisma } from '../../examples/platform/prisma.js';
import { stores } from '../../examples/platform/stores.js';
import { migrate } from '../../prisma/migrate.js';
import { connect } from '../../src/app/connect.js';
import { readConfig } from '../../src/config.js';
import type { ForebayEvent } from '../../src/events.js';
import { WriteBehindService } from '../../src/services/write-behind/write-behind.js';
import { ActivityReplay, longestOutages } from '../support/activity-replay.js';
import { madeActivity } from '../support/made-activity.js';
import { endsOfReceipts } from '../support/replay-ends.js';
import { readRows } from '../support/replayed-rows.js';
import type { FromHost, ToHost } from './messages.js';

const perSecond = 200;
const stopMs = 5_000;
const tell = (message: FromHost): void => void process.send?.(message);
const folder = process.env.HOST_FOLDER as string;
const roles = { redis, workers, app } as const;

/** What stops what was started, last come first. */
const ends: (() => Promise<unknown>)[] = [];

process.once('disconnect', async () => {
  for (const end of ends.reverse()) await end();
  process.exit();
});
const answer = await roles[process.env.HOST as keyof typeof roles]();
process.on('message', async (asked: ToHost) => tell(await answer(asked)));

type Answer = (asked: ToHost) => Promise<FromHost>;

async function redis(): Promise<Answer> {
  const server = await startRedisServer({ folder, extraArgs: ['--bind', '0.0.0.0'] });
  ends.push(server.stop);
  const { url } = server;
  tell({ kind: 'ready', url });
  return async () => ({ kind: 'ready', url });
}

async function workers(): Promise<Answer> {
  await mkdir(folder, { mode: 0o711 });
  const access = path.join(folder, 'access.conf');
  await writeFile(access, 'host all all all scram-sha-256\n');
  await chmod(access, 0o644);
  const settings = ['listen_addresses=*', `hba_file=${access}`].flatMap((setting) => ['-c', setting]);
  const server = await startPostgresServer({ folder, extraArgs: settings });
  ends.push(server.stop);
  const { url } = server;
  await migrate({ databaseUrl: url, folder: path.resolve('prisma/migrations') });
  const prisma = createPrisma(url, { connections: 4, name: 'host' });
  const events: ForebayEvent['type'][] = [];
  const emit = ({ type }: ForebayEvent): void => void events.push(type);
  const worker = new WriteBehindService({ stores, prisma, config: readConfig(), emit });
  await worker.start();
  ends.push(() => worker.stop(stopMs));
  tell({ kind: 'ready', url });
  return async () => ({ kind: 'rows', rows: await readRows(prisma), events: events.splice(0) });
}

async function app(): Promise<Answer> {
  const prisma = createPrisma(process.env.DATABASE_URL as string, { connections: 4, name: 'host' });
  const client = await connect(stores, { prisma, config: readConfig(), onEvent: () => undefined });
  ends.push(() => client.close());
  const replay = new ActivityReplay([client], madeActivity(11));
  replay.start(perSecond);
  tell({ kind: 'ready', url: '' });
  return async ({ kind }) => {
    if (kind === 'write on') {
      await replay.accepted(perSecond);
      return { kind: 'accepted' };
    }
    replay.stop();
    await replay.answered();
    const ends = await endsOfReceipts(replay);
    const rows = [...replay.rows].map(
      ([row, entries]) =>
        [row, entries.map((entry) => ({ write: entry.write, end: ends.get(entry) as string }))] as const,
    );
    const refused = replay.failures.map(({ kind, code, at }) => ({ kind, code, at }));
    const callsInDoubt = [...replay.callsInDoubt.values()];
    return {
      kind: 'done',
      rows,
      refused,
      callsInDoubt,
      outages: longestOutages([...replay.rows.values()].flat()),
    };
  };
}
