/** What app and workers of job per write agree on. */
import type { JobsOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { requireVariable } from './variable.js';

/** A job's name is its row's table. Keys are under the bench's prefix, in one hash tag. */
export const jobQueue = { name: 'upserts', prefix: `{${requireVariable('FOREBAY_PREFIX')}:jobs}` };

/** Nothing that costs: no retries, no delay, nothing kept. */
export const jobOptions: JobsOptions = { removeOnComplete: true, removeOnFail: true };

export function openJobRedis(): Redis {
  return new Redis(requireVariable('REDIS_URL'), { maxRetriesPerRequest: null });
}
