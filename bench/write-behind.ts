/**
 * How fast are writes accepted and carried to the database, compared with a BullMQ job per write that does one upsert of
 * Prisma, and with a batcher by hand? All get the same rows, services and machine, and are warm when they are measured.
 */
import type { Bench, BenchContext, BenchResult } from './bench.js';
import type { StartedContestant, StartOptions } from './write-behind/app-and-worker.js';
import { startBatcher } from './write-behind/batcher.js';
import { calibrate, processesMax, type Trial } from './write-behind/calibrate.js';
import { wrongRows } from './write-behind/check.js';
import type { Contestant, Mode } from './write-behind/contestant.js';
import { startForebay } from './write-behind/forebay.js';
import { startJobPerWrite } from './write-behind/job-per-write.js';
import { type Measurement, measure, measureFastest } from './write-behind/measure.js';
import { toFigures, toPage } from './write-behind/report.js';
import { type Workload, workloads } from './write-behind/workload.js';

export const writeBehind: Bench = {
  summary:
    'writes accepted and persisted per second, against a BullMQ job and an upsert for each write, and a batcher by hand',
  run,
};

const writes = 50_000;
/** Job per write is slow; its rate does not depend on how many writes there are. */
const writesOfJobPerWrite = 5_000;
const warmUpWrites = 3_000;

async function run(context: BenchContext): Promise<BenchResult> {
  const { trials, measurements: peers } = await measureJobPerWrite(context);
  const batcher = await measureStarted('the batcher by hand', startBatcher, context);
  const own = await measureStarted('forebay', startForebay, context);
  const measurements = [...peers, ...batcher, ...own];
  return {
    page: toPage(measurements, trials),
    data: { calibration: trials, runs: measurements.map((one) => toFigures(one, measurements)) },
    isCorrect: own.every(({ correctness }) => wrongRows(correctness) === 0),
  };
}

async function measureJobPerWrite(
  context: BenchContext,
): Promise<{ trials: Trial[]; measurements: Measurement[] }> {
  const settings = { processes: processesMax, concurrency: 16 };
  const { place, signal, progress } = context;
  progress.step('starting the processes of job per write');
  const jobPerWrite = await startJobPerWrite({ env: place.env, signal, settings });
  try {
    await warmUp(jobPerWrite, context);
    const trials = await calibrate(jobPerWrite, context);
    jobPerWrite.use(trials[0] as Trial);
    return { trials, measurements: await measureAll(jobPerWrite, writesOfJobPerWrite, context) };
  } finally {
    await jobPerWrite.stop();
  }
}

async function measureStarted(
  name: string,
  start: (options: StartOptions) => Promise<StartedContestant>,
  context: BenchContext,
): Promise<Measurement[]> {
  const { place, signal, progress } = context;
  progress.step(`starting the processes of ${name}`);
  const contestant = await start({ env: place.env, signal });
  try {
    await warmUp(contestant, context);
    return await measureAll(contestant, writes, context);
  } finally {
    await contestant.stop();
  }
}

async function warmUp(contestant: Contestant, context: BenchContext): Promise<void> {
  const workload = scaled({ table: 'tasks', kind: 'distinct', writes: warmUpWrites }, context);
  await measure(contestant, { workload, mode: 'single' }, context);
}

async function measureAll(
  contestant: Contestant,
  count: number,
  context: BenchContext,
): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (const { table, kind } of workloads) {
    for (const mode of ['single', 'bulk'] satisfies Mode[]) {
      const order = { workload: scaled({ table, kind, writes: count }, context), mode };
      measurements.push(await measureFastest(contestant, order, context));
    }
  }
  return measurements;
}

function scaled(workload: Workload, { scale }: BenchContext): Workload {
  return { ...workload, writes: Math.ceil(workload.writes * scale) };
}
