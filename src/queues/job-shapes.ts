/** What the jobs of each queue carry, as workers check it: anybody may add a job by hand. */
import { z } from '../peers/zod.js';
import type { StandingJob } from './schedule-queue.js';

export const wakeUpShape = z.object({ lane: z.string(), isHurry: z.literal(true).optional() });

export const refreshJobShape = z.object({
  store: z.string(),
  id: z.string(),
  seen: z.string(),
  ttlMs: z.number().positive().optional(),
});

export const deadLetterJobShape = z.object({
  lane: z.string(),
  field: z.string(),
  at: z.string(),
  error: z.object({ state: z.string(), message: z.string() }),
  records: z.record(z.string(), z.string()),
});

const count = z.number().nonnegative();

export const warmJobShape = z.object({
  store: z.string(),
  done: z
    .object({
      store: z.string(),
      warmed: count,
      fresh: count,
      absent: count,
      failed: count,
      pages: count,
      max: count,
      ms: count,
      after: z.string().optional(),
      errors: z.array(z.string()),
    })
    .optional(),
});

const standingJobShape = z.object({
  schedule: z.string(),
  cron: z.string(),
  timeZone: z.string(),
  what: z.string(),
  next: z.iso.datetime(),
  last: z.object({ at: z.string(), queue: z.string(), job: z.string() }).optional(),
});

export const scheduleJobShape = z.union([
  standingJobShape,
  z.object({ schedule: z.string(), run: z.string() }),
]);

export function isStandingJob(job: unknown): job is StandingJob {
  return standingJobShape.safeParse(job).success;
}
