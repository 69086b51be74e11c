/**
 * The change worker: hears from Postgres what other writers have changed, and drops the entries of these
 * rows. Of several one drops, and the others stand by.
 *
 * start: check the database → open the feed → drop what may have been missed, or stand by. stop: leave the
 * lead to another, close the feed.
 */
import { randomBytes } from 'node:crypto';
import { followLanes } from '../../buffer/lane-follower.js';
import { openLanes } from '../../buffer/layouts.js';
import { WriteBuffer } from '../../buffer/write-buffer.js';
import type { Config } from '../../config.js';
import { inTime } from '../../connection/deadline.js';
import { testRedisConnection } from '../../connection/health.js';
import { checkServer } from '../../connection/server-check.js';
import type { Database } from '../../database/database.js';
import { coveredModels, publicationName } from '../../database/publication.js';
import { checkLedger } from '../../database/table.js';
import type { Stores } from '../../definitions/stores.js';
import type { Emit } from '../../events.js';
import type { Resources } from '../../resources.js';
import { databaseNeed, redisNeed } from '../../vitals/needs.js';
import { checkWorker } from '../role/check-worker.js';
import { every } from '../role/every.js';
import { Role } from '../role/service.js';
import { Dependents } from './dependents.js';
import { EntryAudit } from './entry-audit.js';
import { ChangeReader } from './reader.js';
import { checkChanges } from './setup.js';

/** What a change worker needs. */
export interface ChangesOptions {
  /** What `defineStores` gave; the same as the apps'. */
  readonly stores: Stores;
  /** The worker's Prisma client. It stays the caller's: `stop` leaves it open. */
  readonly prisma: Database;
  /** Postgres itself, for a pooler passes no replication on: `postgresql://user:password@host:5432/name`. */
  readonly databaseUrl: string;
  /** What `readConfig` gave. */
  readonly config: Pick<Config, 'prefix' | 'redis'>;
  /** Told of everything that happens: `logEvents(logger)`. */
  readonly emit: Emit;
}

const leaveDeadlineMs = 1_000;
const auditEveryMs = 5_000;

/** Drops the entries of rows that other writers have changed. */
export class ChangesService extends Role {
  readonly #options: ChangesOptions;

  /**
   * `start` @throws ForebayError REDIS_UNAVAILABLE, INVALID_CONFIG, DATABASE_NOT_READY,
   * DATABASE_UNAVAILABLE, CHANGES_UNAVAILABLE
   */
  constructor(options: ChangesOptions) {
    super(checkWorker(options));
    this.#options = { ...options, emit: this.emit };
  }

  /** @internal */
  protected async open(parts: Resources, signal: AbortSignal): Promise<void> {
    const { stores, prisma, config, databaseUrl, emit } = this.#options;
    const { prefix } = config;
    const { lanes: redis } = await parts.connect({ lanes: [config.redis, 'worker'] });
    const buffer = new WriteBuffer(redis, prefix);
    this.vitals.need(
      redisNeed('redis', () => testRedisConnection(redis)),
      databaseNeed(prisma),
    );
    await checkServer(redis, emit);
    const lanes = await openLanes(stores, prefix, buffer, emit);
    await checkLedger(prisma);
    const setup = { stores, prisma, databaseUrl, prefix };
    const covered = coveredModels(stores);
    const routes = followLanes(redis, prefix, { lanes, buffer });
    const place = { redis, lanes, routes, prefix, emit, database: prisma, signal };
    const reader = new ChangeReader({
      ...place,
      buffer,
      covered,
      dependents: new Dependents(stores, emit),
      url: databaseUrl,
      publication: publicationName(prefix),
      name: `forebay-changes-${randomBytes(6).toString('hex')}`,
      check: () => checkChanges(setup),
    });
    const groups = covered.flatMap((one) => one.stores.map((store) => store.group));
    await this.#follow(parts, reader, new EntryAudit({ ...place, stores, groups }));
  }

  async #follow(parts: Resources, reader: ChangeReader, audit: EntryAudit): Promise<void> {
    await reader.start();
    this.vitals.watch({ name: 'changes', problem: () => reader.problem() });
    parts.own('reader of changes', reader.run(), async (running) => {
      reader.wake();
      // What waits for a connection that is down ends with that.
      await inTime(running, leaveDeadlineMs).catch(() => undefined);
    });
    every(parts, 'audit of entries', auditEveryMs, async () => {
      if (reader.isDropping) await audit.run();
    });
  }
}
