/** `forebay run`: runs a schedule by hand. */
import { type Config, readConfig } from '../config.js';
import { closeConnections, openConnections } from '../connection/redis.js';
import { isStandingJob, ScheduleQueue } from '../queues/schedule-queue.js';

const quitDeadlineMs = 1_000;

/**
 * Promotes the schedule's standing job, so that a scheduler runs it at once; returns the exit code: 2 for an unknown schedule.
 * @throws ForebayError INVALID_CONFIG, REDIS_UNAVAILABLE
 */
export async function runSchedule(
  name: string,
  say: (line: string) => void,
  config: Config = readConfig(),
): Promise<number> {
  // What breaks meanwhile is thrown by the command that it breaks.
  const connections = await openConnections({ queue: [config.queueRedis, 'queue'] }, () => undefined);
  const queue = new ScheduleQueue(connections.queue, config.prefix, () => undefined);
  try {
    const job = await queue.standing(name);
    if (job === undefined) {
      const known = await knownNames(queue);
      say(
        `There is no schedule "${name}". ${known.length === 0 ? 'No scheduler was started yet.' : `Known: ${known.join(', ')}.`}`,
      );
      return 2;
    }
    if (await job.isDelayed()) await job.promote();
    say(`${name} runs as soon as a scheduler takes it. See: forebay status`);
    return 0;
  } finally {
    await queue.close();
    await closeConnections(connections, quitDeadlineMs);
  }
}

async function knownNames(queue: ScheduleQueue): Promise<string[]> {
  const jobs = await queue.queue.getJobs(['delayed', 'waiting', 'active']);
  return jobs.flatMap(({ data }) => (isStandingJob(data) ? [data.schedule] : [])).sort();
}
