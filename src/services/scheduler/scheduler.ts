/**
 * The scheduler: node-cron's tasks, whose ticks add runs to the queues. A run's job is named after its
 * schedule and tick, so any number of schedulers add it once. Each schedule has a standing job besides, which
 * waits for the next tick: it shows the schedule on the board, it catches up what was missed while no
 * scheduler was there, and promoting it is a run by hand.
 *
 * start: connect → see to the standing jobs → start the tasks → take jobs. stop: stop the tasks, abort the
 * functions that run, leave.
 */
import type { Job } from 'bullmq';
import { connect, type Forebay } from '../../app/connect.js';
import type { Config } from '../../config.js';
import { testRedisConnection } from '../../connection/health.js';
import type { Database } from '../../database/database.js';
import type { Definitions, Stores } from '../../definitions/stores.js';
import type { Emit } from '../../events.js';
import { isStandingJob, scheduleJobShape } from '../../queues/job-shapes.js';
import { closeQueues } from '../../queues/lazy-queue.js';
import {
  type FunctionJob,
  type ScheduleJob,
  ScheduleQueue,
  type StandingJob,
  scheduleQueueName,
  standingJobs,
} from '../../queues/schedule-queue.js';
import { WarmQueue } from '../../queues/warm-queue.js';
import type { Resources } from '../../resources.js';
import { databaseNeed, redisNeed } from '../../vitals/needs.js';
import { checkWorker } from '../role/check-worker.js';
import { handBack, UnknownWork } from '../role/hand-back.js';
import { startHeartbeat } from '../role/heartbeat.js';
import { nowAndThen } from '../role/now-and-then.js';
import { Role } from '../role/service.js';
import { takeJobs } from '../role/take-jobs.js';
import { CronTasks } from './cron-tasks.js';
import { ScheduleRuns } from './schedule-runs.js';
import type { Schedule, Schedules } from './schedules.js';
import { StandingJobs } from './standing-jobs.js';

/** What a scheduler needs. */
export interface SchedulerServiceOptions {
  /** What `defineStores` gave; the same as the apps'. */
  readonly stores: Stores;
  /** Made by `defineSchedules`. */
  readonly schedules: Schedules;
  /** The worker's Prisma client. It stays the caller's: `stop` leaves it open. */
  readonly prisma: Database;
  /** What `readConfig` gave. */
  readonly config: Pick<Config, 'prefix' | 'redis' | 'queueRedis'>;
  /** Told of everything that happens: `logEvents(logger)`. */
  readonly emit: Emit;
}

/** Functions that one scheduler runs at once; standing jobs need room beside them. */
const jobsMax = 50;

/** What jobs need. */
interface Processing {
  readonly standing: StandingJobs;
  /** Only functions need one. */
  readonly app: Forebay<Definitions> | undefined;
  readonly signal: AbortSignal;
}

/** Runs schedules: once for each tick, over any number of schedulers. */
export class SchedulerService extends Role {
  readonly #options: SchedulerServiceOptions;

  /** `start` @throws ForebayError REDIS_UNAVAILABLE, INVALID_CONFIG */
  constructor(options: SchedulerServiceOptions) {
    super(checkWorker(options));
    this.#options = { ...options, emit: this.emit };
  }

  /** @internal */
  protected async open(parts: Resources, signal: AbortSignal): Promise<void> {
    const { stores, schedules, prisma, config, emit } = this.#options;
    const { prefix, queueRedis } = config;
    const connections = await parts.connect({ queue: [queueRedis, 'queue'], jobs: [queueRedis, 'jobs'] });
    const app = await this.#connectApp(parts);
    this.vitals.need(redisNeed('queue redis', () => testRedisConnection(connections.queue)));
    // Only functions need more.
    if (app)
      this.vitals.need(
        redisNeed('redis', () => app.redis.testRedisConnection()),
        databaseNeed(prisma),
      );
    startHeartbeat(parts, { role: 'scheduler', connection: connections.queue, prefix, stores });
    const queue = new ScheduleQueue(connections.queue, prefix, emit);
    const warm = new WarmQueue(connections.queue, prefix, emit);
    parts.own('queues', [queue, warm], closeQueues);
    const runs = new ScheduleRuns({ schedules: queue, warm, emit });
    const tasks = new CronTasks({
      schedules,
      async onTick(schedule, tick) {
        await runs.addForTick(schedule, tick);
        await standing.ensureOne(schedule);
      },
      emit,
    });
    const standing = new StandingJobs({ queue, tasks, runs, emit });
    parts.own('tasks', tasks, (it) => it.stop());
    tasks.start();
    await standing.ensure(schedules);
    const duty = await takeJobs<ScheduleJob, unknown>(parts, {
      queue: scheduleQueueName,
      shape: scheduleJobShape,
      connection: connections.jobs,
      prefix,
      emit,
      concurrency: jobsMax,
      process: (job, token) => this.#process(job, token, { standing, app, signal }),
    });
    this.vitals.watch(duty);
    this.canTell({
      jobs: () => duty.look(),
      schedules: async () => standingJobs(await queue.open()),
    });
  }

  async #connectApp(parts: Resources): Promise<Forebay<Definitions> | undefined> {
    const { stores, schedules, prisma, config, emit } = this.#options;
    const haveFunctions = [...schedules.values()].some(({ what }) => 'run' in what);
    if (!haveFunctions) return undefined;
    return parts.own('app', await connect(stores, { prisma, config, onEvent: emit }), (app) => app.close());
  }

  async #process(
    job: Job<ScheduleJob>,
    token: string | undefined,
    { standing, app, signal }: Processing,
  ): Promise<unknown> {
    const { schedule: name } = job.data;
    const schedule = this.#options.schedules.get(name);
    if (isStandingJob(job.data)) return standing.process(job as Job<StandingJob>, schedule, token);
    if (schedule === undefined || app === undefined || !('run' in schedule.what)) {
      throw new UnknownWork(
        `No function is scheduled as ${name}. Deploy the schedulers with its definition.`,
      );
    }
    return this.#runFunction(job as Job<FunctionJob>, schedule.what.run, { token, app, signal });
  }

  async #runFunction(
    job: Job<FunctionJob>,
    run: Extract<Schedule['what'], { run: unknown }>['run'],
    { token, app, signal }: { token: string | undefined; app: Forebay<Definitions>; signal: AbortSignal },
  ): Promise<unknown> {
    const report = nowAndThen((progress: object) => job.updateProgress(progress));
    const progress = (done: number, total?: number) =>
      report(total === undefined ? { done } : { done, total });
    try {
      return await run({ app, prisma: this.#options.prisma, signal, progress });
    } catch (error) {
      if (!signal.aborted) throw error;
      return handBack(job, token, 0);
    }
  }
}
