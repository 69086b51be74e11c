/** `forebay run`: runs a schedule by hand. */
import { type Config, readConfig } from '../config.js';
import { ScheduleQueue, standingJobs } from '../queues/schedule-queue.js';
import { withConnections } from './with-connections.js';

/**
 * Promotes the schedule's standing job, so that a scheduler runs it at once; returns the exit code: 2 for an
 * unknown schedule.
 * @throws ForebayError INVALID_CONFIG, REDIS_UNAVAILABLE
 */
export async function runSchedule(
  name: string,
  say: (line: string) => void,
  config: Config = readConfig(),
): Promise<number> {
  return withConnections({ queue: [config.queueRedis, 'queue'] }, async (connections, resources) => {
    const queue = new ScheduleQueue(connections.queue, config.prefix, () => undefined);
    resources.own('queue', queue, (it) => it.close());
    return promote(name, queue, say);
  });
}

async function promote(name: string, queue: ScheduleQueue, say: (line: string) => void): Promise<number> {
  const job = await queue.standing(name);
  if (job === undefined) {
    const known = (await standingJobs(await queue.open())).map(({ schedule }) => schedule).sort();
    say(
      `There is no schedule "${name}". ${known.length === 0 ? 'No scheduler was started yet.' : `Known: ${known.join(', ')}.`}`,
    );
    return 2;
  }
  if (await job.isDelayed()) await job.promote();
  say(`${name} runs as soon as a scheduler takes it. See: forebay status`);
  return 0;
}
