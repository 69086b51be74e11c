/** A role whose jobs are done with a connected app: what refresh and warm workers have in common. */
import type { Job } from 'bullmq';
import type { ZodType } from 'zod';
import { connect, type Forebay } from '../../app/connect.js';
import type { Config } from '../../config.js';
import { testRedisConnection } from '../../connection/health.js';
import type { Database } from '../../database/database.js';
import type { Definitions, Stores } from '../../definitions/stores.js';
import type { Emit } from '../../events.js';
import type { Resources } from '../../resources.js';
import { databaseNeed, redisNeed } from '../../vitals/needs.js';
import { checkWorker } from './check-worker.js';
import { startHeartbeat } from './heartbeat.js';
import { Role } from './service.js';
import { takeJobs } from './take-jobs.js';

/** What refresh and warm workers need. */
export interface AppWorkerOptions {
  /** What `defineStores` gave; the same as the apps'. */
  readonly stores: Stores;
  /** The worker's Prisma client. It stays the caller's: `stop` leaves it open. */
  readonly prisma: Database;
  /** What `readConfig` gave. */
  readonly config: Pick<Config, 'prefix' | 'redis' | 'queueRedis'>;
  /** Told of everything that happens: `logEvents(logger)`. */
  readonly emit: Emit;
}

/** What a role does with the jobs of its queue. */
export interface AppJobs<Data, Result> {
  readonly queue: string;
  readonly shape: ZodType;
  readonly concurrency: number;
  process(
    job: Job<Data, Result>,
    context: {
      readonly app: Forebay<Definitions>;
      readonly token: string | undefined;
      readonly signal: AbortSignal;
    },
  ): Promise<Result>;
}

/** The mould of roles that work with a connected app. */
export abstract class AppRole<Data, Result> extends Role {
  /** @internal */
  protected readonly options: AppWorkerOptions;

  /** Connects when it is started. */
  constructor(options: AppWorkerOptions) {
    super(checkWorker(options));
    this.options = { ...options, emit: this.emit };
  }

  /** @internal */
  protected abstract jobs(): AppJobs<Data, Result>;

  /** @internal */
  protected async open(parts: Resources, signal: AbortSignal): Promise<void> {
    const { stores, prisma, config, emit } = this.options;
    const { jobs: connection } = await parts.connect({ jobs: [config.queueRedis, 'jobs'] });
    // Memory is for readers.
    const options = { prisma, config, cache: { l1: false }, onEvent: emit } as const;
    const app = parts.own('app', await connect(stores, options), (it) => it.close());
    const { process, ...jobs } = this.jobs();
    startHeartbeat(parts, { role: jobs.queue, connection, prefix: config.prefix, stores });
    this.vitals.need(
      redisNeed('redis', () => app.redis.testRedisConnection()),
      redisNeed('queue redis', () => testRedisConnection(connection)),
      databaseNeed(prisma),
    );
    const duty = await takeJobs<Data, Result>(parts, {
      ...jobs,
      connection,
      prefix: config.prefix,
      emit,
      process: (job, token) => process(job, { app, token, signal }),
    });
    this.vitals.watch(duty);
    this.canTell({
      cache: async () => ({ statistics: app.cache.getStats(), stores: Object.keys(app.stores) }),
      redis: async () => app.redis.getRedisMetrics(),
      jobs: () => duty.look(),
    });
  }
}
