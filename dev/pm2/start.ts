/**
 * `npm start`: runs everything under pm2 (workers, refreshing, warming, schedules, the board), on the Postgres and Redis of
 * the environment, or on the project's own. `npm stop` ends it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '../../prisma/migrate.js';
import { readConfig } from '../../src/config.js';
import { explanation } from '../command.js';
import { acquireServices, type Services } from '../services/acquire.js';
import { endProcesses, pm2, processes, servicesName } from './pm2.js';

const boardTimeoutMs = 30_000;
const pollMs = 200;

process.exitCode = await start().catch((error: unknown) => {
  tell(explanation(error));
  return 1;
});

/** Returns the exit code. */
async function start(): Promise<number> {
  await endProcesses();
  const services = await acquireServices({ say: tell });
  try {
    return await startOn(services);
  } finally {
    await services.release();
  }
}

async function startOn({ databaseUrl, redisUrl, description }: Services): Promise<number> {
  const env = { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl };
  const { board } = readConfig({ ...process.env, ...env });
  await migrate({ databaseUrl, say: tell });
  await keepServices();
  tell(`Starting on ${description}.`);
  await pm2(['start', 'ecosystem.config.js'], env);
  const all = await processes();
  const fallen = all.filter(({ pm2_env }) => pm2_env.status !== 'online');
  if (fallen.length > 0) {
    tell(
      `These do not run: ${fallen.map(({ name }) => name).join(', ')}. Look at npx pm2 logs; npm stop ends the others.`,
    );
    return 1;
  }
  const url = `http://${board.host}:${board.port}/`;
  await untilBoardAnswers(url);
  process.stdout.write(
    `${all.length} processes run. The board: ${url}\nnpx pm2 ls shows them, npm stop ends them.\n`,
  );
  return 0;
}

/** Services of our own live as long as somebody holds them: a process beside the workers. */
async function keepServices(): Promise<void> {
  if (process.env.DATABASE_URL && (process.env.REDIS_URL || process.env.REDIS_HOST)) return;
  const tsx = ['--interpreter', process.execPath, '--interpreter-args', '--import tsx'];
  await pm2(['start', 'dev/services/main.ts', '--name', servicesName, '--wait-ready', ...tsx]);
}

async function untilBoardAnswers(url: string): Promise<void> {
  const signal = AbortSignal.timeout(boardTimeoutMs);
  for (;;) {
    const response = await fetch(url, { signal }).catch((error: unknown) => {
      if (signal.aborted) throw error;
      return undefined;
    });
    await response?.body?.cancel();
    // Also one that asks for a password.
    if (response !== undefined) return;
    await sleep(pollMs);
  }
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
