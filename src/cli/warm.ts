/**
 * `cache:warm`: computes the values that the stores name, and tells what came of it. The runs go through the
 * warm queue: warm workers take them, and so does this process as long as it lives; a run that it leaves
 * unfinished goes on in the next worker.
 */
import type { Job, QueueEvents } from 'bullmq';
import { type Config, readConfig, requireDatabaseUrl } from '../config.js';
import type { Stores } from '../definitions/stores.js';
import { ForebayError, messageOf } from '../errors.js';
import type { ForebayEvent } from '../events.js';
import { queuePrefix } from '../keys.js';
import { bullmq } from '../peers/bullmq.js';
import {
  type WarmJob,
  type WarmProgress,
  WarmQueue,
  type WarmSummary,
  warmQueueName,
} from '../queues/warm-queue.js';
import { withResources } from '../resources.js';
import type { AppWorkerOptions } from '../services/role/app-role.js';
import { WarmService } from '../services/warm/warm.js';
import { ProgressBar } from './progress-bar.js';
import { type WarmEnd, warmReport } from './warm-report.js';

/** What the command needs. */
export interface WarmCommandOptions {
  /** What `defineStores` gave. */
  readonly stores: Stores;
  /** Makes the Prisma client of the run; it is left open. */
  readonly createPrisma: (databaseUrl: string) => AppWorkerOptions['prisma'];
}

const helpText = `Usage: npm run cache:warm [-- STORE …]

Computes cached values before anybody asks for them, and tells what came of it. What is fresh already is left as it is. Ctrl-C
ends it after the page in hand; the next worker, or the next call, goes on there.

  STORE    only the values of these stores; default: of all stores with the option "warm"
  --help   this text

Environment: DATABASE_URL, REDIS_URL and so on, as for workers (docs/configuration.md).
Exit code: 0 when all was warmed, 1 when something failed, 2 for an unknown store, 130 after Ctrl-C.
`;

const closeDeadlineMs = 10_000;
const disconnectDeadlineMs = 1_000;

/** The command, as a process of its own: sets the exit code. */
export async function runWarmCommand(options: WarmCommandOptions): Promise<void> {
  const args = process.argv.slice(2);
  if (args.some((arg) => arg === '--help' || arg === '-h')) {
    process.stdout.write(helpText);
    return;
  }
  try {
    process.exitCode = await warm(args, options, readConfig());
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = error instanceof ForebayError && error.code === 'UNKNOWN_STORE' ? 2 : 1;
  }
}

async function warm(names: readonly string[], options: WarmCommandOptions, config: Config): Promise<number> {
  const chosen = chosenStores(names, options.stores);
  const emit = tellTrouble((line) => void process.stderr.write(`${line}\n`));
  return withResources(emit, closeDeadlineMs, async (resources) => {
    const prisma = options.createPrisma(requireDatabaseUrl(config));
    resources.own('Prisma', prisma, (it) => it.$disconnect(), disconnectDeadlineMs);
    const interrupted = interruption();
    const connections = await resources.connect({
      queue: [config.queueRedis, 'queue'],
      events: [config.queueRedis, 'jobs'],
    });
    const queue = new WarmQueue(connections.queue, config.prefix, emit);
    resources.own('queue', queue, (it) => it.close());
    const service = new WarmService({ stores: options.stores, prisma, config, emit });
    resources.own('worker', service, (it, ms) => it.stop(ms));
    await service.start();
    const events = new bullmq.QueueEvents(warmQueueName, {
      connection: connections.events,
      prefix: queuePrefix(config.prefix),
    });
    resources.own('events', events, (it) => it.close(), disconnectDeadlineMs);
    await events.waitUntilReady();
    return runAll(chosen, { queue, events, interrupted });
  });
}

interface Runs {
  readonly queue: WarmQueue;
  readonly events: QueueEvents;
  readonly interrupted: Promise<'interrupted'>;
}

/** Returns the exit code. */
async function runAll(
  stores: readonly { readonly name: string }[],
  { queue, events, interrupted }: Runs,
): Promise<number> {
  if (await (await queue.open()).isPaused())
    process.stderr.write('The warm queue is paused: resume it on the board.\n');
  const jobs = await Promise.all(stores.map(({ name }) => queue.add(name)));
  const ends = await Promise.race([watchAll(jobs, events), interrupted]);
  if (ends === 'interrupted') {
    process.stderr.write('Stopped. The next worker, or the next call, goes on from here.\n');
    return 130;
  }
  process.stdout.write(warmReport(ends));
  return ends.some(({ summary }) => summary === undefined || summary.failed > 0) ? 1 : 0;
}

/** @throws ForebayError UNKNOWN_STORE */
function chosenStores(names: readonly string[], { computed }: Stores) {
  const all = [...computed.values()].filter(({ warm }) => warm !== undefined);
  const unknown = names.filter((name) => !all.some((store) => store.name === name));
  if (unknown.length > 0) {
    throw new ForebayError(
      'UNKNOWN_STORE',
      `Nothing is to be warmed of ${unknown.join(', ')}. Stores with the option "warm": ${all.map(({ name }) => name).join(', ') || 'none'}.`,
    );
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

/** Each trouble once, though it may concern many values. */
function tellTrouble(say: (line: string) => void): (event: ForebayEvent) => void {
  const told = new Set<string>();
  return (event) => {
    if (!('error' in event)) return;
    const line = `${event.type}: ${messageOf(event.error)}`;
    if (!told.has(line)) say(line);
    told.add(line);
  };
}

/** Shows how far the runs are, as they tell of it. */
async function watchAll(jobs: readonly WarmJobHandle[], events: QueueEvents): Promise<WarmEnd[]> {
  const ends = jobs.map((job) => watch(job, events));
  const bar = new ProgressBar(process.stderr);
  events.on('progress', ({ data }) => {
    const { store, warmed, fresh, absent, failed, max } = data as unknown as WarmProgress;
    bar.show(store, warmed + fresh + absent + failed, max);
  });
  try {
    return await Promise.all(ends);
  } finally {
    bar.clear();
  }
}

type WarmJobHandle = Job<WarmJob, WarmSummary>;

async function watch(job: WarmJobHandle, events: QueueEvents): Promise<WarmEnd> {
  const { store } = job.data;
  try {
    return { store, summary: await job.waitUntilFinished(events) };
  } catch (error) {
    return { store, error: messageOf(error) };
  }
}

function interruption(): Promise<'interrupted'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('interrupted'));
  });
}
