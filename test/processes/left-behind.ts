/**
 * A child process that starts one role, or connects an app, and stops it when it is told to. It says what keeps it alive then, and must end by itself.
 * Argument: the role.
 */
import { createPrisma } from '../../examples/platform/prisma.js';
import { stores } from '../../examples/platform/stores.js';
import { connect } from '../../src/app/connect.js';
import { BoardService } from '../../src/board/board.js';
import { readConfig, requireDatabaseUrl } from '../../src/config.js';
import { RefreshService } from '../../src/services/refresh/refresh.js';
import { SchedulerService } from '../../src/services/scheduler/scheduler.js';
import { defineSchedules } from '../../src/services/scheduler/schedules.js';
import { WarmService } from '../../src/services/warm/warm.js';
import { WriteBehindService } from '../../src/services/write-behind/write-behind.js';

export type RoleName = 'app' | 'write-behind' | 'refresh' | 'warm' | 'scheduler' | 'board';

const lookEveryMs = 50;
/**
 * Ten seconds: BullMQ, when its connection breaks in the middle of a call, waits 5 s before it goes on, or ends. What
 * ends by itself later than that keeps a process that has stopped.
 */
const looksMax = 200;

const config = { ...readConfig(), board: { host: '127.0.0.1', port: 0 } };
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 2, name: 'left-behind' });
const emit = (): void => undefined;
const options = { stores, prisma, config, emit };

const message = (): Promise<unknown> => new Promise((resolve) => process.once('message', resolve));

const start: Record<RoleName, () => Promise<(deadlineMs: number) => Promise<void>>> = {
  app: async () => {
    const app = await connect(stores, { prisma, config, onEvent: emit });
    await app.stores.clients.put({ id: 'a', name: 'Ada' });
    await app.stores.clients.get('a');
    await app.patterns.cacheAside('left:behind:1', async () => 1);
    return () => app.close();
  },
  'write-behind': () => started(new WriteBehindService(options)),
  refresh: () => started(new RefreshService(options)),
  warm: () => started(new WarmService(options)),
  scheduler: () => {
    const schedules = defineSchedules(stores, {
      nightly: { cron: '0 3 * * *', run: async () => undefined },
    });
    return started(new SchedulerService({ ...options, schedules }));
  },
  board: () => started(new BoardService({ config, emit })),
};

async function started(service: { start(): Promise<void>; stop(deadlineMs: number): Promise<void> }) {
  await service.start();
  return (deadlineMs: number) => service.stop(deadlineMs);
}

/** Reads of files, those of modules among them, are not ours. */
const alive = (): string =>
  process
    .getActiveResourcesInfo()
    .filter((name) => !name.startsWith('FS') && name !== 'CloseReq')
    .sort()
    .join(' ');

const before = alive();
const stop = await start[process.argv[2] as RoleName]();
process.send?.('ready');
await message();
const startedAt = performance.now();
await stop(8_000);
const stopMs = performance.now() - startedAt;
await prisma.$disconnect();
// A socket is closed once its server has answered.
for (let looks = 0; alive() !== before && looks < looksMax; looks++) {
  await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
}
process.send?.({ left: alive(), before, stopMs });
process.disconnect();
