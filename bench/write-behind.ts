/**
 * How fast are writes accepted and carried to the database, compared with a BullMQ job per write that does one upsert of
 * Prisma, and with a batcher by hand? All get the same rows, services and machine, and are warm when they are measured.
 */
import type { Bench, BenchContext, BenchResult } from './bench.js';
import type { StartedContestant } from './write-behind/app-and-worker.js';
import { startBatcher } from './write-behind/batcher.js';
import { calibrate, processesMax, type Trial } from './write-behind/calibrate.js';
import { wrongRows } from './write-behind/check.js';
import type { Contestant, Mode } from './write-behind/contestant.js';
import { startForebay } from './write-behind/forebay.js';
import { type JobPerWrite, startJobPerWrite } from './write-behind/job-per-write.js';
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
  const started: StartedContestant[] = [];
  try {
    const jobPerWrite = await startAll(started, context);
    for (const contestant of started) await warmUp(contestant, context);
    const trials = await calibrate(jobPerWrite, context);
    jobPerWrite.use(trials[0] as Trial);
    const measurements = await measureInTurns(started, context);
    const own = measurements.filter(({ contestant }) => contestant === 'forebay');
    return {
      page: toPage(measurements, trials),
      data: { calibration: trials, runs: measurements.map((one) => toFigures(one, measurements)) },
      isCorrect: own.every(({ correctness }) => wrongRows(correctness) === 0),
    };
  } finally {
    for (const contestant of started.reverse()) await contestant.stop();
  }
}

/** Adds them one by one, so that those that have started are stopped when another one fails. */
async function startAll(
  started: StartedContestant[],
  { place: { env }, signal, progress }: BenchContext,
): Promise<JobPerWrite> {
  progress.step('starting the processes');
  const settings = { processes: processesMax, concurrency: 16 };
  const jobPerWrite = await startJobPerWrite({ env, signal, settings });
  started.push(jobPerWrite);
  started.push(await startBatcher({ env, signal }));
  started.push(await startForebay({ env, signal }));
  return jobPerWrite;
}

async function warmUp(contestant: Contestant, context: BenchContext): Promise<void> {
  const workload = scaled({ table: 'tasks', kind: 'distinct', writes: warmUpWrites }, context);
  await measure({ contestant, workload, mode: 'single' }, context);
}

async function measureInTurns(
  contestants: readonly Contestant[],
  context: BenchContext,
): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (const { table, kind } of workloads) {
    for (const mode of ['single', 'bulk'] satisfies Mode[]) {
      const orders = contestants.map((contestant) => {
        const count = contestant.name === 'job per write' ? writesOfJobPerWrite : writes;
        return { contestant, workload: scaled({ table, kind, writes: count }, context), mode };
      });
      measurements.push(...(await measureFastest(orders, context)));
    }
  }
  return measurements;
}

function scaled(workload: Workload, { scale }: BenchContext): Workload {
  return { ...workload, writes: Math.ceil(workload.writes * scale) };
}
