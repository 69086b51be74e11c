/**
 * The scheduler: node-cron's tasks, whose ticks add runs to the queues. A run's job is named after its schedule and tick, so any number of schedulers
 * add it once. Each schedule has a standing job besides, which waits for the next tick: it shows the schedule on the board, it catches up what was missed
 * while no scheduler was there, and promoting it is a run by hand.
 *
 * start: connect → see to the standing jobs → start the tasks → take jobs. stop: stop the tasks, abort the functions that run, leave.
 */
import { DelayedError, type Job, Worker } from 'bullmq';
import { connect, type Forebay } from '../../app/connect.js';
import type { Config } from '../../config.js';
import { closeConnections, openConnections, type RedisClient } from '../../connection/redis.js';
import type { Database } from '../../database/database.js';
import type { Definitions, Stores } from '../../definitions/stores.js';
import type { Emit } from '../../events.js';
import { queuePrefix } from '../../keys.js';
import {
  type FunctionJob,
  isStandingJob,
  type ScheduleJob,
  ScheduleQueue,
  type StandingJob,
  scheduleQueueName,
} from '../../queues/schedule-queue.js';
import { WarmQueue } from '../../queues/warm-queue.js';
import { jobLock } from '../role/job-lock.js';
import { nowAndThen } from '../role/now-and-then.js';
import { type Service, withinDeadline } from '../role/service.js';
import { refuseUnknown } from '../role/unknown-work.js';
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
const disconnectDeadlineMs = 500;

/** What there is while the service is at work. */
interface Running {
  readonly app: Forebay<Definitions> | undefined;
  readonly tasks: CronTasks;
  readonly worker: Worker<ScheduleJob>;
  readonly queues: { readonly schedules: ScheduleQueue; readonly warm: WarmQueue };
  disconnect(): Promise<void>;
}

/** What jobs need. */
type Processing = { readonly standing: StandingJobs } & Pick<Running, 'app'>;

/** Runs schedules: once for each tick, over any number of schedulers. */
export class SchedulerService implements Service {
  readonly #options: SchedulerServiceOptions;
  readonly #stopping = new AbortController();
  #running: Running | undefined;

  constructor(options: SchedulerServiceOptions) {
    this.#options = options;
  }

  /** Begins to work. @throws ForebayError REDIS_UNAVAILABLE, INVALID_CONFIG, PARTITIONS_CHANGED */
  async start(): Promise<void> {
    const { config, emit } = this.#options;
    const connections = await openConnections(
      { queue: [config.queueRedis, 'queue'], jobs: [config.queueRedis, 'worker'] },
      emit,
    );
    const disconnect = () => closeConnections(connections, disconnectDeadlineMs);
    try {
      this.#running = await this.#run(connections, disconnect);
    } catch (error) {
      await disconnect();
      throw error;
    }
  }

  /** Ends it: what is in hand may take `deadlineMs`. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping.abort();
    if (!this.#running) return;
    const { app, tasks, worker, queues, disconnect } = this.#running;
    await tasks.stop();
    await withinDeadline(worker.close(), deadlineMs);
    await withinDeadline(Promise.all([queues.schedules.close(), queues.warm.close()]), disconnectDeadlineMs);
    await disconnect();
    if (app) await withinDeadline(app.close(), disconnectDeadlineMs);
  }

  async #run(
    connections: { queue: RedisClient; jobs: RedisClient },
    disconnect: () => Promise<void>,
  ): Promise<Running> {
    const { schedules, config, emit } = this.#options;
    const app = await this.#connectApp();
    const queues = {
      schedules: new ScheduleQueue(connections.queue, config.prefix, emit),
      warm: new WarmQueue(connections.queue, config.prefix, emit),
    };
    const runs = new ScheduleRuns({ ...queues, emit });
    const tasks = new CronTasks({
      schedules,
      async onTick(schedule, tick) {
        await runs.addForTick(schedule, tick);
        await standing.ensureOne(schedule);
      },
      emit,
    });
    const standing = new StandingJobs({ queue: queues.schedules, tasks, runs, emit });
    tasks.start();
    try {
      await standing.ensure(schedules);
      const worker = this.#createWorker(connections.jobs, { standing, app });
      await worker.waitUntilReady();
      return { app, tasks, worker, queues, disconnect };
    } catch (error) {
      await tasks.stop();
      await app?.close();
      throw error;
    }
  }

  #createWorker(connection: RedisClient, { standing, app }: Processing): Worker<ScheduleJob> {
    const { config, emit } = this.#options;
    const worker = new Worker<ScheduleJob>(
      scheduleQueueName,
      (job, token) => this.#process(job, token, { standing, app }),
      { connection, prefix: queuePrefix(config.prefix), concurrency: jobsMax, ...jobLock },
    );
    worker.on('error', (error) => emit({ type: 'redis.error', connection: 'worker', error }));
    worker.on('failed', (job, error) => emit({ type: 'job.failed', job: job?.name ?? '', error }));
    return worker;
  }

  /** Only functions need one. */
  async #connectApp(): Promise<Forebay<Definitions> | undefined> {
    const { stores, schedules, prisma, config, emit } = this.#options;
    const haveFunctions = [...schedules.values()].some(({ what }) => 'run' in what);
    return haveFunctions ? connect(stores, { prisma, config, onEvent: emit }) : undefined;
  }

  async #process(
    job: Job<ScheduleJob>,
    token: string | undefined,
    { standing, app }: Processing,
  ): Promise<unknown> {
    const schedule = this.#options.schedules.get(job.data.schedule);
    if (isStandingJob(job.data)) return standing.process(job as Job<StandingJob>, schedule, token);
    if (schedule === undefined || app === undefined || !('run' in schedule.what)) {
      const message = `No function is scheduled as ${job.data.schedule}. Deploy the schedulers with its definition.`;
      return refuseUnknown(job, token, message);
    }
    return this.#runFunction(job as Job<FunctionJob>, schedule.what.run, { token, app });
  }

  async #runFunction(
    job: Job<FunctionJob>,
    run: Extract<Schedule['what'], { run: unknown }>['run'],
    { token, app }: { token: string | undefined; app: Forebay<Definitions> },
  ): Promise<unknown> {
    const { signal } = this.#stopping;
    const report = nowAndThen((progress: object) => job.updateProgress(progress));
    const progress = (done: number, total?: number) =>
      report(total === undefined ? { done } : { done, total });
    try {
      return await run({ app, prisma: this.#options.prisma, signal, progress });
    } catch (error) {
      if (!signal.aborted) throw error;
      await job.moveToDelayed(Date.now(), token);
      throw new DelayedError();
    }
  }
}
