/** An app's process: answers requests for pages, in the way that it is told. */
import { createPrisma } from '../../examples/platform/prisma.js';
import { readConfig, requireDatabaseUrl } from '../../src/index.js';
import { serve } from '../serve.js';
import { issue, now } from '../write-behind/in-flight.js';
import { connectionName } from './database-queries.js';
import { loadPage, loadPages } from './page.js';
import { tasksPerProject } from './page-rows.js';
import { openWay, type Reader, type Way } from './ways.js';

export interface ReplayAppHandlers {
  /** @param run distinguishes its keys from those of other runs of the same way */
  open(way: Way, run: number): Promise<void>;
  replay(ids: readonly string[], inFlight: number): Promise<Answers>;
  /** Lets the database count what it was asked: it does so at the latest when a connection ends. */
  leaveDatabase(): Promise<void>;
  /** How many of the pages are not cached, or not what the database has. */
  check(ids: readonly string[]): Promise<number>;
  close(): Promise<void>;
}

/** Of one process; the lists are in the order of the requests. */
export interface Answers {
  readonly startedAt: number;
  readonly endedAt: number;
  /** Answers that were not the page that was asked for. */
  readonly wrong: number;
  /** In ms since 1970, with fractions. */
  readonly beganAt: readonly number[];
  readonly tookMs: readonly number[];
  /** Whether this request loaded its page from the database. */
  readonly hasLoaded: readonly boolean[];
}

const connections = 10;
const checkedAtOnce = 500;
const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections, name: connectionName });
let reader: Reader | undefined;

const handlers: ReplayAppHandlers = {
  async open(way, run) {
    const prefix = `${config.prefix}-${way.replace(/\W+/g, '-')}-${run}`;
    reader = await openWay(way, { prisma, prefix });
  },
  replay: (ids, inFlight) => replay(opened(), ids, inFlight),
  leaveDatabase: () => prisma.$disconnect(),
  async check(ids) {
    let wrong = 0;
    for (let start = 0; start < ids.length; start += checkedAtOnce)
      wrong += await countWrong(opened(), ids.slice(start, start + checkedAtOnce));
    return wrong;
  },
  async close() {
    await reader?.close();
    reader = undefined;
  },
};

function opened(): Reader {
  if (reader === undefined) throw new Error('Nothing is open');
  return reader;
}

async function replay({ read }: Reader, ids: readonly string[], inFlight: number): Promise<Answers> {
  const beganAt = ids.map(() => 0);
  const tookMs = ids.map(() => 0);
  const hasLoaded = ids.map(() => false);
  let wrong = 0;
  const answer = async (at: number): Promise<void> => {
    const id = ids[at] as string;
    const began = now();
    const page = await read(id, () => {
      hasLoaded[at] = true;
      return loadPage(id, prisma);
    });
    beganAt[at] = began;
    tookMs[at] = now() - began;
    if (page?.id !== id || page.tasks !== tasksPerProject) wrong += 1;
  };
  const options = { calls: ids.length, inFlight, onProgress: () => undefined };
  const { startedAt, acceptedAt } = await issue(answer, options);
  return { startedAt, endedAt: acceptedAt, wrong, beganAt, tookMs, hasLoaded };
}

/** A page that has to be loaded proves nothing, so it counts as wrong. */
async function countWrong({ read }: Reader, ids: readonly string[]): Promise<number> {
  const right = new Map((await loadPages(ids, prisma)).map((page) => [page.id, JSON.stringify(page)]));
  const verdicts = await Promise.all(
    ids.map(async (id) => {
      let isCached = true;
      const page = await read(id, () => {
        isCached = false;
        return loadPage(id, prisma);
      });
      return isCached && JSON.stringify(page) === right.get(id);
    }),
  );
  return verdicts.filter((isRight) => !isRight).length;
}

serve(handlers, async () => {
  await handlers.close();
  await prisma.$disconnect();
});
