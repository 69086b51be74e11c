/** Finds the settings with which job per write is fastest on this machine, so that it is compared at its best. */
import type { BenchContext } from '../bench.js';
import type { JobPerWrite, JobSettings } from './job-per-write.js';
import { type Measurement, measure } from './measure.js';
import type { Workload } from './workload.js';

export const processesMax = 3;
const concurrencies = [8, 16, 32, 64];
/** Of each trial: about two seconds' work. */
const trialWrites = 1_500;

export interface Trial extends JobSettings {
  readonly persistedPerSecond: number;
}

/** Returns all trials, the fastest first. */
export async function calibrate(jobPerWrite: JobPerWrite, context: BenchContext): Promise<Trial[]> {
  const workload: Workload = {
    table: 'clients',
    kind: 'distinct',
    writes: Math.ceil(trialWrites * Math.min(context.scale, 1)),
  };
  const trials: Trial[] = [];
  for (let processes = 1; processes <= processesMax; processes++) {
    for (const concurrency of concurrencies) {
      const settings = { processes, concurrency };
      jobPerWrite.use(settings);
      const measurement = await measure({ contestant: jobPerWrite, workload, mode: 'single' }, context);
      trials.push({ ...settings, persistedPerSecond: persistedPerSecond(measurement) });
    }
  }
  return trials.sort((a, b) => b.persistedPerSecond - a.persistedPerSecond);
}

export function persistedPerSecond({ workload, persistedMs }: Measurement): number {
  return (1_000 * workload.writes) / persistedMs;
}
