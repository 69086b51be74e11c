/** How fast are values read through the cache, compared with other libraries and with ioredis and JSON by hand? All in one process, one after the other. */
import type { Bench, BenchContext, BenchResult } from './bench.js';
import { type Child, withChild } from './child.js';
import type { Amounts, ReadAppHandlers, ReadFigures } from './read/read-app.js';
import { count, textTable } from './text-table.js';

export const read: Bench = {
  summary:
    'values read per second from memory and from Redis, batches, and loads of a cold key, against other libraries',
  run,
};

/** Other work on the machine only ever slows a run down, so the fastest says most. */
const rounds = 3;
const amounts: Amounts = { memoryReads: 200_000, redisReads: 40_000, batches: 400 };

type Results = Map<string, ReadFigures>;

async function run(context: BenchContext): Promise<BenchResult> {
  const { place, signal, progress, scale } = context;
  progress.step('starting the process that reads');
  return withChild('read/read-app.ts', { env: place.env, signal }, async (child: Child<ReadAppHandlers>) => {
    const results = await measureAll(child, context, scaled(scale));
    return {
      page: toPage(results),
      data: { runs: [...results].map(([name, figures]) => ({ name, ...figures })) },
      isCorrect: results.get('forebay')?.stampedeLoads === 1,
    };
  });
}

/** In turns, so that a slow time of the machine meets all. */
async function measureAll(
  child: Child<ReadAppHandlers>,
  { progress }: BenchContext,
  amounts: Amounts,
): Promise<Results> {
  const names = await child.ask('names');
  const results: Results = new Map();
  for (let round = 1; round <= rounds; round++) {
    for (const name of names) {
      progress.step(`${name}, ${round} of ${rounds}`);
      results.set(name, fastest(results.get(name), await child.ask('measure', name, amounts)));
    }
  }
  return results;
}

function scaled(scale: number): Amounts {
  return {
    memoryReads: Math.ceil(amounts.memoryReads * scale),
    redisReads: Math.ceil(amounts.redisReads * scale),
    batches: Math.ceil(amounts.batches * scale),
  };
}

function fastest(before: ReadFigures | undefined, now: ReadFigures): ReadFigures {
  if (before === undefined) return now;
  return {
    ...(now.memoryPerSecond === undefined
      ? {}
      : { memoryPerSecond: Math.max(before.memoryPerSecond ?? 0, now.memoryPerSecond) }),
    redisPerSecond: Math.max(before.redisPerSecond, now.redisPerSecond),
    batchPerSecond: Math.max(before.batchPerSecond, now.batchPerSecond),
    stampedeLoads: Math.max(before.stampedeLoads, now.stampedeLoads),
  };
}

function toPage(results: Results): string {
  const rows = [...results].map(([name, figures]) => [
    name,
    figures.memoryPerSecond === undefined ? '' : count(figures.memoryPerSecond),
    count(figures.redisPerSecond),
    count(figures.batchPerSecond),
    count(figures.stampedeLoads),
  ]);
  const head = ['', 'memory hits/s', 'Redis hits/s', 'values/s in batches of 100', 'loads of a cold key'];
  return [
    '',
    textTable(head, rows),
    '',
    `The fastest of ${rounds} runs each. Memory: awaited one after the other. Redis: 256 reads under way, or 8 batches.`,
    'Loads of a cold key: by 1,000 callers each of two clients that share nothing but Redis.',
    '',
  ].join('\n');
}
