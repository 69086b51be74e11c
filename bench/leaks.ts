/** What does it cost to run and do nothing, and is anything left behind: memory, keys, work that nobody asked for? */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, BenchContext, BenchResult } from './bench.js';
import { type Child, withChild } from './child.js';
import type { LeaksAppHandlers } from './leaks/leaks-app.js';
import { slopeOf, type UsageHandlers } from './leaks/usage.js';
import { count, textTable } from './text-table.js';
import type { ForebayWorkerHandlers } from './write-behind/forebay-worker.js';

export const leaks: Bench = {
  summary: '10 minutes idle and 10 of load: Redis commands, CPU, growth of memory, keys left after the drain',
  run,
};

const phaseSeconds = 600;
const warmUpSeconds = 20;
const samples = 40;
const perSecond = 1_000;
const restLooksMax = 50;
const restLookEveryMs = 200;

type App = Child<LeaksAppHandlers>;
type Worker = Child<ForebayWorkerHandlers & UsageHandlers>;

export interface Phase {
  readonly redisCommandsPerSecond: number;
  /** Of a core, in %. */
  readonly cpu: { readonly app: number; readonly worker: number };
  /** Bytes of the heap, after a collection of garbage, for each minute: the slope over the second half. */
  readonly heapBytesPerMinute: { readonly app: number; readonly worker: number };
}

export interface Leaks {
  readonly idle: Phase;
  readonly load: Phase;
  /** In Redis, without an end to their life, but for the jobs that the queues keep: before the load, and after it is drained. */
  readonly lastingKeys: { readonly before: number; readonly after: number };
}

async function run(context: BenchContext): Promise<BenchResult> {
  const data = await measureLeaks(context, phaseSeconds * context.scale);
  return { page: toPage(data), data: { ...data }, isCorrect: true };
}

export async function measureLeaks(
  { place, signal, progress }: Pick<BenchContext, 'place' | 'signal' | 'progress'>,
  seconds: number,
): Promise<Leaks> {
  const options = { env: place.env, signal };
  const measured = async (app: App, worker: Worker): Promise<Leaks> => {
    progress.step('warming up');
    await app.ask('prepare');
    await app.ask('work', perSecond, Math.min(warmUpSeconds, seconds));
    await app.ask('drain');
    const parts = { app, worker, place };
    progress.step('idle');
    const idle = await phase(parts, seconds, (forSeconds) =>
      sleep(1_000 * forSeconds, undefined, { signal }),
    );
    const before = await lastingKeys(place);
    progress.step(`${count(perSecond)} calls a second`);
    const load = await phase(parts, seconds, (forSeconds) => app.ask('work', perSecond, forSeconds));
    await app.ask('drain');
    return { idle, load, lastingKeys: { before, after: await lastingKeysAtRest(place, before) } };
  };
  return withChild('write-behind/forebay-worker.ts', options, (worker: Worker) =>
    withChild('leaks/leaks-app.ts', options, (app: App) => measured(app, worker)),
  );
}

interface Parts {
  readonly app: App;
  readonly worker: Worker;
  readonly place: BenchContext['place'];
}

async function phase(
  { app, worker, place }: Parts,
  seconds: number,
  work: (seconds: number) => Promise<unknown>,
): Promise<Phase> {
  const look = async () => ({
    atMs: performance.now(),
    commands: await commandsOf(place),
    app: await app.ask('usage'),
    worker: await worker.ask('usage'),
  });
  const looks = [await look()];
  for (let nth = 0; nth < samples; nth++) {
    await work(seconds / samples);
    looks.push(await look());
  }
  const [first, last] = [looks[0], looks.at(-1)] as [(typeof looks)[0], (typeof looks)[0]];
  const tookMs = last.atMs - first.atMs;
  const settled = looks.slice(looks.length / 2);
  const heap = (of: 'app' | 'worker'): number =>
    Math.round(slopeOf(settled.map((one) => ({ x: one.atMs / 60_000, y: one[of].heapBytes }))));
  const cpu = (of: 'app' | 'worker'): number => (100 * (last[of].cpuMs - first[of].cpuMs)) / tookMs;
  // Each look is a command itself.
  const commands = last.commands - first.commands - samples;
  return {
    redisCommandsPerSecond: Number(((1_000 * commands) / tookMs).toFixed(1)),
    cpu: { app: Number(cpu('app').toFixed(1)), worker: Number(cpu('worker').toFixed(1)) },
    heapBytesPerMinute: { app: heap('app'), worker: heap('worker') },
  };
}

/** Of all clients, scripts' own commands included. */
async function commandsOf({ redis }: Parts['place']): Promise<number> {
  return Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1]);
}

/** The queues keep their last jobs, for the board. */
const keptJob = /:queues}:[a-z-]+:[^:]+$/;

/** Jobs end a moment after what they carry is in the database. */
async function lastingKeysAtRest(place: Parts['place'], before: number): Promise<number> {
  for (let looks = 1; ; looks++) {
    const lasting = await lastingKeys(place);
    if (lasting <= before || looks === restLooksMax) return lasting;
    await sleep(restLookEveryMs);
  }
}

async function lastingKeys({ redis, prefix }: Parts['place']): Promise<number> {
  let lasting = 0;
  const stream = redis.scanStream({ match: `*${prefix}*`, count: 1_000 }) as AsyncIterable<string[]>;
  for await (const keys of stream) {
    const others = keys.filter((key) => !keptJob.test(key));
    const lives = await Promise.all(others.map((key) => redis.pttl(key)));
    lasting += lives.filter((life) => life === -1).length;
  }
  return lasting;
}

function toPage({ idle, load, lastingKeys: keys }: Leaks): string {
  const kilobytes = (bytes: number): string => (bytes / 1_024).toFixed(1);
  const line = (name: string, { redisCommandsPerSecond, cpu, heapBytesPerMinute }: Phase): string[] => [
    name,
    redisCommandsPerSecond.toFixed(1),
    cpu.app.toFixed(1),
    cpu.worker.toFixed(1),
    kilobytes(heapBytesPerMinute.app),
    kilobytes(heapBytesPerMinute.worker),
  ];
  const head = ['', 'Redis commands/s', 'CPU: app, %', 'worker, %', 'heap: app, KB/min', 'worker, KB/min'];
  return [
    '',
    textTable(head, [line('idle', idle), line(`${count(perSecond)} calls/s`, load)]),
    '',
    'One app, one write-behind worker. The heap after a collection of garbage: its slope over the second half. CPU of one core, those collections included.',
    `Keys in Redis that do not expire, but for the last jobs of the queues: ${keys.before} before the load, ${keys.after} after it is drained.`,
    '',
  ].join('\n');
}
