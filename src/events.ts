/** The events of forebay, by their types. */
import type { CacheStatistics } from './cache-statistics.js';

/**
 * What forebay tells of itself: one typed union of events, the only seam for logs, metrics and tests.
 * Listeners are called in place, in the order of what happens; one that throws fails the step it was told of.
 */
export type ForebayEvent =
  /** A wake-up job could not be added; the sweep wakes the lane instead. */
  | { readonly type: 'wake.failed'; readonly lane: string; readonly error: unknown }
  /**
   * This app has no BullMQ. It tells the workers of its writes by Redis alone, and asks for no refresh:
   * readers compute what is stale. Told once.
   */
  | { readonly type: 'queue.missing'; readonly install: string }
  /**
   * A value is due to be computed anew, but the job could not be added; its readers compute it once it is
   * stale.
   */
  | {
      readonly type: 'refresh.not-asked';
      readonly store: string;
      readonly id: string;
      readonly error: unknown;
    }
  /**
   * So many refreshes wait that further ones would come too late; readers compute what is stale meanwhile.
   */
  | { readonly type: 'refresh.crowded'; readonly waiting: number }
  /**
   * A refresh worker could not compute a value; it tries again after `retryMs`, as long as the old value is
   * there.
   */
  | {
      readonly type: 'refresh.failed';
      readonly store: string;
      readonly id: string;
      readonly attempt: number;
      readonly retryMs: number;
      readonly error: unknown;
    }
  /**
   * A run could not go on, e.g. for its list failed; it does after `retryMs`, with the page that it had come
   * to.
   */
  | {
      readonly type: 'warm.stopped';
      readonly store: string;
      readonly retryMs: number;
      readonly error: unknown;
    }
  /** A page of a run could not be computed; the run goes on with the next one. */
  | { readonly type: 'warm.failed'; readonly store: string; readonly ids: number; readonly error: unknown }
  /** Counts of reads could not be sent; they are dropped: what is hottest is known a little less well. */
  | { readonly type: 'reads.unsent'; readonly store: string; readonly error: unknown }
  /** A run could not be added to its queue; the schedule's standing job adds it once that works. */
  | {
      readonly type: 'schedule.failed';
      readonly schedule: string;
      readonly tick: string;
      readonly error: unknown;
    }
  /** The run before still waits or runs, as job `running`: this tick has none. */
  | {
      readonly type: 'schedule.skipped';
      readonly schedule: string;
      readonly tick: string;
      readonly running: string;
    }
  /** No scheduler was there at the time of the tick, nor of those after it, if there were any. */
  | {
      readonly type: 'schedule.missed';
      readonly schedule: string;
      readonly tick: string;
      readonly isRun: boolean;
    }
  /**
   * A loaded row or counter could not be put into the cache; the read was served, a later one loads again.
   */
  | { readonly type: 'fill.failed'; readonly store: string; readonly error: unknown }
  /**
   * Rows were written past the store, by the Prisma extension, and Redis did not drop their entries: these
   * show the rows as they were, until their time ends.
   */
  | { readonly type: 'entries.not-dropped'; readonly store: string; readonly error: unknown }
  /**
   * Redis did not do what the cache asked of it, or an entry can't be read. A read goes to its loader, and
   * what is loaded may not be cached. A tag is a key that begins with `#`.
   */
  | { readonly type: 'cache.failed'; readonly key: string; readonly error: unknown }
  /**
   * A loaded value can't be cached: the serializer refuses it, or it is too large. Its reads get it all the
   * same; told once for each key.
   */
  | { readonly type: 'value.not-cached'; readonly key: string; readonly error: unknown }
  /**
   * What the cache has counted since its start or the last reset; told now and then, when anything was
   * counted.
   */
  | { readonly type: 'cache.statistics'; readonly statistics: CacheStatistics }
  | { readonly type: 'batch.sealed'; readonly lane: string; readonly number: string; readonly size: number }
  /** The batch's rows were written; its transaction is not committed yet. */
  | { readonly type: 'batch.written'; readonly lane: string; readonly number: string }
  /**
   * The transaction is committed; the batch is not acknowledged yet. `applied` is false when it had been
   * before.
   */
  | {
      readonly type: 'batch.applied';
      readonly lane: string;
      readonly number: string;
      readonly applied: boolean;
      readonly size: number;
      readonly ms: number;
    }
  | {
      readonly type: 'batch.acked';
      readonly lane: string;
      readonly number: string;
      readonly size: number;
      /** Since the oldest of its records became dirty; undefined for those that have waited. */
      readonly ageMs?: number;
    }
  /** Another worker has acknowledged the batch meanwhile. */
  | { readonly type: 'batch.late'; readonly lane: string; readonly number: string; readonly size: number }
  /** The batch could not be applied; it stays sealed and is tried again. */
  | {
      readonly type: 'batch.failed';
      readonly lane: string;
      readonly number: string;
      readonly reason: 'unavailable' | 'not-yet' | 'refused';
      readonly retryMs: number;
      readonly error: unknown;
    }
  /** The batch's number is used up, for the database refused records of it; it is not split yet. */
  | { readonly type: 'batch.void'; readonly lane: string; readonly number: string }
  /** The database refused records of the batch; they were taken out, and the rest has a new number. */
  | {
      readonly type: 'batch.split';
      readonly lane: string;
      readonly number: string;
      /** Records that are left in it. */
      readonly rest: number;
      /** Records that became dead letters. */
      readonly dead: number;
      /** Records that wait for a row that they refer to. */
      readonly waiting: number;
    }
  /** The database refuses a record for what it holds: it is a dead letter now. */
  | {
      readonly type: 'record.refused';
      readonly lane: string;
      /** `store:id`. */
      readonly field: string;
      /** The SQLSTATE; '' when there is none. */
      readonly state: string;
      readonly error: unknown;
    }
  /** A dead letter could not be shown on the board; a worker that compares the two shows it later. */
  | {
      readonly type: 'dead-letter.not-shown';
      readonly lane: string;
      readonly field: string;
      readonly error: unknown;
    }
  /**
   * A dead letter was replayed or discarded, and its job could not be removed; a worker that compares the two
   * does it later.
   */
  | {
      readonly type: 'dead-letter.not-hidden';
      readonly lane: string;
      readonly field: string;
      readonly error: unknown;
    }
  /** The lanes' dead letters and the board's jobs could not be compared; it is tried again. */
  | { readonly type: 'dead-letter.not-compared'; readonly error: unknown }
  /**
   * The database does not answer: nothing is applied until it does. `error` is what the first batch failed
   * with.
   */
  | { readonly type: 'database.away'; readonly error: unknown }
  /** It answers again, after `ms`: the lanes in hand go on. */
  | { readonly type: 'database.back'; readonly ms: number }
  /**
   * Redis has gone back in time: the ledger has a batch of this lane that Redis knows nothing of. What was
   * accepted from `since` (Redis's last batch; absent when it knows none) to `until` (the ledger's) and later
   * may be lost, rows may be newer than the cache, and what was dirty in the older state is applied again.
   * Told for each lane and loss, by each worker that finds it before it is mended.
   */
  | {
      readonly type: 'redis.regressed';
      readonly lane: string;
      readonly batch: string;
      readonly ledger: string;
      readonly since?: string;
      readonly until: string;
    }
  /** Deltas of counters whose rows do not exist: as in SQL, they change nothing. */
  | {
      readonly type: 'counter.rows-missing';
      readonly lane: string;
      readonly store: string;
      readonly count: number;
    }
  /**
   * Writes that were not applied, for their rows have a newer version: another program's, or one that Redis
   * has forgotten.
   */
  | { readonly type: 'rows.overtaken'; readonly lane: string; readonly store: string; readonly count: number }
  /** Somebody has changed something by the board, logged in or out, or tried to: with the status he got. */
  | {
      readonly type: 'board.audit';
      /** '' where nobody is logged in. */
      readonly user: string;
      readonly role: 'operator' | 'reader' | 'nobody';
      readonly address: string;
      /** The method and the path. */
      readonly what: string;
      readonly status: number;
      /** What it has done. */
      readonly done?: string;
    }
  /** The stores whose flushes are paused are others than before: now these. Told by each worker. */
  | { readonly type: 'stores.paused'; readonly stores: readonly string[] }
  /**
   * Another writer has changed rows of which writes are pending: what becomes of the change is decided as for
   * any row, by order or by a version column.
   */
  | { readonly type: 'rows.foreign'; readonly store: string; readonly count: number }
  /**
   * Entries of rows that others change are dropped from now on. `isCold`: those of all rows were, for changes
   * may have been missed.
   */
  | { readonly type: 'changes.opened'; readonly isCold: boolean }
  /** What others change is not told; again after `retryMs`, unless another worker takes over. */
  | { readonly type: 'changes.lost'; readonly retryMs: number; readonly error: unknown }
  /**
   * Entries of changed rows were dropped: so many `rows`, of so many transactions. `lagMs`: since the first
   * was committed, by the clocks of Postgres and of the worker.
   */
  | {
      readonly type: 'changes.dropped';
      readonly transactions: number;
      readonly rows: number;
      readonly lagMs: number;
    }
  /** Changes are known, and Redis or Postgres did not do what it takes to drop their entries; tried again. */
  | { readonly type: 'changes.not-dropped'; readonly retryMs: number; readonly error: unknown }
  /** A computed store's `idsOf`, or its `key`, has failed: all its values are dropped. */
  | { readonly type: 'changes.ids-unknown'; readonly store: string; readonly error: unknown }
  /** Some entries were compared with their rows: so many were as these within a second, and not. */
  | {
      readonly type: 'entries.audited';
      readonly store: string;
      readonly consistent: number;
      readonly stale: number;
    }
  /** One that was not. It stays until a change of its row is heard, or its time is over. */
  | { readonly type: 'entry.stale'; readonly store: string; readonly id: string }
  /** Redis or Postgres did not do what it takes to compare entries; the next audit comes. */
  | { readonly type: 'entries.not-audited'; readonly error: unknown }
  /** A lane had unpersisted records and nobody working on it. */
  | { readonly type: 'lane.woken'; readonly lane: string }
  /** The lanes could not be looked at for abandoned ones; it is tried again with the next sweep. */
  | { readonly type: 'sweep.failed'; readonly error: unknown }
  /**
   * The mark of a lane in hand could not be renewed: when it goes quiet, another worker takes the lane.
   * Harmless, but work done twice.
   */
  | { readonly type: 'mark.not-renewed'; readonly lane: string; readonly error: unknown }
  /**
   * Lanes could not be compared with the ledger, so that a Redis that has gone back in time is not noticed
   * yet; again after `retryMs`.
   */
  | { readonly type: 'ledger.not-compared'; readonly retryMs: number; readonly error: unknown }
  | { readonly type: 'job.failed'; readonly job: string; readonly error: unknown }
  /** A job was taken for the first time, so long after it could have been. */
  | { readonly type: 'job.taken'; readonly queue: string; readonly waitMs: number }
  /**
   * A job that this worker can't do. Handed back, for a worker of another release may know its store, lane or
   * schedule; or set aside as failed, when it is malformed, or nobody has known it for a quarter of an hour.
   * Told once for each reason.
   */
  | {
      readonly type: 'job.unknown';
      readonly queue: string;
      readonly job: string;
      readonly isSetAside: boolean;
      readonly reason: string;
    }
  /** What was to be closed has failed to, or did not end within its deadline: it is left behind. */
  | { readonly type: 'close.failed'; readonly what: string; readonly error: unknown }
  | { readonly type: 'redis.error'; readonly connection: string; readonly error: unknown }
  /** Redis does not answer: it is not asked until it does. Of cached values, or of stores. */
  | { readonly type: 'breaker.opened'; readonly connection: BreakerConnection; readonly error: unknown }
  | { readonly type: 'breaker.closed'; readonly connection: BreakerConnection }
  /**
   * Values in memory are used, for every change of them is told; or not, for the connection that tells is
   * lost.
   */
  | { readonly type: 'l1.opened' }
  | { readonly type: 'l1.closed' }
  | { readonly type: 'server.warning'; readonly what: string; readonly advice: string }
  /** The place where a process is to tell of its health is taken, or can't be had; again after `retryMs`. */
  | { readonly type: 'health.not-served'; readonly retryMs: number; readonly error: unknown };

/** What a breaker guards: reads of cached values, or of records and counters. */
export type BreakerConnection = 'cache' | 'reads';

/** The names of events: `batch.applied`, `cache.failed`, … */
export type EventType = ForebayEvent['type'];

/** A listener of events: called in place, so it should be quick and not throw. */
export type Emit = (event: ForebayEvent) => void;
