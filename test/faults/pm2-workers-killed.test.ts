import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Activity, Commit } from '../../demo/activity/commit.js';
import { projectFolder } from '../../demo/arguments.js';
import { compareTables } from '../../demo/compare.js';
import { computeAnswer } from '../../demo/oracle.js';
import { startWorkers, type WorkerProcesses } from '../../demo/processes.js';
import { replay } from '../../demo/replay.js';
import { stores } from '../../examples/platform/stores.js';
import { drained } from '../support/drained.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { randomNumbers } from '../support/random.js';

const rounds = 4;
const commitsPerRound = 150;

let environment: Environment;
let workers: WorkerProcesses;
const stopping = new AbortController();

beforeEach(async () => {
  environment = await createEnvironment();
  workers = await startWorkers({
    projectFolder,
    databaseUrl: environment.env.DATABASE_URL,
    redisUrl: environment.env.REDIS_URL,
    prefix: environment.config.prefix,
    signal: stopping.signal,
  });
  await workers.ready();
});

afterEach(async () => {
  await workers.stop();
  await environment.close();
});

describe('kill -9 of write-behind workers under pm2, again and again during a replay', () => {
  it.each(['one', 'all'] as const)('of %s of them changes nothing in the comparison', async (which) => {
    const activity = history();
    const answer = await computeAnswer(activity, stopping.signal);
    const app = await environment.connect(stores);
    const killed: number[] = [];
    const kill = async (random: () => number): Promise<void> => {
      const pids = await runningPids();
      const victims = which === 'all' ? pids : pids.slice(Math.floor(random() * pids.length)).slice(0, 1);
      for (const pid of victims) process.kill(pid, 'SIGKILL');
      killed.push(...victims);
    };
    const progress = { commits: 0, accepted: 0 };
    await replay(withKills(activity, kill), app.stores, { signal: stopping.signal, progress });
    await drained(app);
    expect(killed.length).toBeGreaterThanOrEqual(rounds / 2);
    expect(progress.accepted).toBe(answer.writes);
    const { prisma } = environment;
    const tables = await compareTables(
      answer.tables,
      {
        users: pages((args) => prisma.user.findMany(args)),
        projects: pages((args) => prisma.project.findMany(args)),
        tasks: pages((args) => prisma.task.findMany(args)),
      },
      stopping.signal,
    );
    for (const table of tables) expect(table).toMatchObject({ equal: table.compared, differences: [] });
  });
});

/** Asks again until at least one runs: pm2 may not have noticed yet that they were killed. */
async function runningPids(): Promise<number[]> {
  for (;;) {
    const pids = (await workers.writeBehindPids()).filter(isRunning);
    if (pids.length > 0) return pids;
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // ESRCH
  }
}

/** Kills after a random number of commits of each round, while their writes are on their way. */
function withKills(activity: Activity, kill: (random: () => number) => Promise<void>): Activity {
  const random = randomNumbers(7);
  return {
    description: activity.description,
    async *commits() {
      let next = Math.floor(random() * commitsPerRound);
      let at = 0;
      for await (const commit of activity.commits()) {
        yield commit;
        if (at++ < next) continue;
        await kill(random);
        next += Math.ceil(commitsPerRound * (0.5 + random()));
      }
    },
  };
}

/** A repeatable history: 300 paths in 20 folders, touched, deleted and created again by 12 authors. */
function history(): Activity {
  return {
    description: 'a made-up history',
    async *commits() {
      const random = randomNumbers(42);
      for (let i = 0; i < rounds * commitsPerRound; i++) yield commit(i, random);
    },
  };
}

function commit(i: number, random: () => number): Commit {
  const files = Array.from({ length: 1 + Math.floor(random() * 12) }, (_, file) => {
    const path = Math.floor(random() * 300);
    const change = random() < 0.15 ? 'D' : 'M';
    return [change, `folder-${path % 20}/file-${path}-${file % 2}.ts`] as const;
  });
  const author = `author-${Math.floor(random() * 12)}`;
  return { commit: String(i), at: 1_700_000_000 + 60 * i, author, files };
}

type PageQuery = { orderBy: { id: 'asc' }; take: number; where?: { id: { gt: string } } };

function pages<Row>(findMany: (query: PageQuery) => Promise<Row[]>) {
  return (after: string | undefined, take: number): Promise<Row[]> =>
    findMany({
      orderBy: { id: 'asc' },
      take,
      ...(after === undefined ? {} : { where: { id: { gt: after } } }),
    });
}
