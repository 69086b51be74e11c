/**
 * Makes the pictures of the board in docs/board: `npm run docs:board`. A prefix and a schema of their own are
 * filled, and the page is photographed in Chromium (Debian's package `chromium`).
 */
import { randomBytes } from 'node:crypto';
import { chromium } from 'playwright-core';
import { createPrisma } from '../examples/platform/prisma.js';
import { schedules } from '../examples/platform/schedules.js';
import { stores } from '../examples/platform/stores.js';
import { migrate } from '../prisma/migrate.js';
import { connect } from '../src/app/connect.js';
import { BoardService } from '../src/board/board.js';
import { addFlushes } from '../src/buffer/flush-history.js';
import { readConfig } from '../src/config.js';
import { openConnections, type RedisClient } from '../src/connection/redis.js';
import { historyKey } from '../src/keys.js';
import { RefreshService } from '../src/services/refresh/refresh.js';
import { SchedulerService } from '../src/services/scheduler/scheduler.js';
import { WriteBehindService } from '../src/services/write-behind/write-behind.js';

const name = `pictures_${randomBytes(4).toString('hex')}`;
const databaseUrl = new URL(process.env.DATABASE_URL ?? '');
databaseUrl.searchParams.set('schema', name);
const config = {
  ...readConfig({ ...process.env, FOREBAY_PREFIX: name, DATABASE_URL: databaseUrl.toString() }),
  board: { host: '127.0.0.1', port: 0, user: 'ada', password: 'pictures' },
};
const emit = (): void => undefined;

await migrate({ databaseUrl: databaseUrl.toString() });
const prisma = createPrisma(databaseUrl.toString(), { connections: 8, name });
await prisma.$executeRawUnsafe(`ALTER TABLE projects ADD CONSTRAINT name_is_short CHECK (length(name) < 20)`);
const options = { stores, prisma, config, emit };
const services = [
  new WriteBehindService(options),
  new RefreshService(options),
  new SchedulerService({ ...options, schedules }),
  new BoardService(options),
];
for (const service of services) await service.start();
const board = services.at(-1) as BoardService;
const app = await connect(stores, { prisma, config, onEvent: emit });
const { redis } = await openConnections({ redis: [config.redis, 'reads'] }, emit);
await fill();
await takePictures();
redis.disconnect();
await app.close();
for (const service of services.reverse()) await service.stop(3_000);
await prisma.$executeRawUnsafe(`DROP SCHEMA "${name}" CASCADE`);
await prisma.$disconnect();

async function fill(): Promise<void> {
  await pastHour(redis);
  await app.stores.users.put({ id: 'ada', email: 'ada@example.org', name: 'Ada' });
  for (let i = 0; i < 40; i++) await app.stores.projects.put({ id: `p${i}`, name: `Quay ${i}` });
  for (const id of ['p3', 'p17', 'p31'])
    await app.stores.projects.put({ id, name: 'A name that is much too long' });
  await app.stores.projectViews.add('p1', 25);
  await app.flush();
  for (let i = 0; i < 230; i++) await app.stores.projects.put({ id: `p${100 + i}`, name: `Quay ${i}` });
}

/** What an hour's work would have left. */
async function pastHour(client: RedisClient): Promise<void> {
  await addFlushes(client, name, new Map());
  const now = Math.floor(Date.now() / 60_000);
  for (let minute = now - 59; minute < now; minute++) {
    const wave = 1 + Math.sin(minute / 7) * 0.5 + Math.sin(minute / 3) * 0.2;
    const fields: (string | number)[] = [];
    for (const [store, rows] of [
      ['projects', 9_000],
      ['tasks', 31_000],
      ['sessions', 4_000],
    ] as const) {
      const batches = Math.round(40 * wave);
      fields.push(`${store}/0 rows`, Math.round(rows * wave), `${store}/0 batches`, batches);
      fields.push(`${store}/0 ms`, Math.round(batches * (14 + 9 * wave)));
    }
    await client.hset(historyKey(name, minute), ...fields);
  }
}

async function takePictures(): Promise<void> {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  for (const colorScheme of ['light', 'dark'] as const) {
    const context = await browser.newContext({ colorScheme, viewport: { width: 960, height: 600 } });
    const page = await context.newPage();
    await page.goto(board.url);
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Password').fill('pictures');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('live, as of').waitFor();
    const shoot = (what: string) => page.screenshot({ path: `docs/board/${what}-${colorScheme}.png` });
    await shoot('overview');
    await page.goto(`${board.url}letters`);
    if (colorScheme === 'dark') await shoot('letters');
  }
  await browser.close();
}
