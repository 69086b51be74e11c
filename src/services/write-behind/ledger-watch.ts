/**
 * Compares Redis with the ledger. Redis numbers a batch before it is applied, so a ledger that is ahead means that Redis has gone back in
 * time (a failover to an older replica, a restored backup, lost memory). It is told, and no later number falls below the ledger's.
 */
import type { Lane, Lanes } from '../../buffer/lane.js';
import type { WriteBuffer } from '../../buffer/write-buffer.js';
import type { RedisClient } from '../../connection/redis.js';
import type { Database } from '../../database/database.js';
import { readLedgers } from '../../database/ledger.js';
import type { Emit } from '../../events.js';
import { pause } from '../../pause.js';
import { DatabaseAway, type DatabaseBreaker } from './database-breaker.js';

const retryMs = 1_000;

export interface LedgerWatchDependencies {
  readonly lanes: Lanes;
  readonly buffer: WriteBuffer;
  readonly database: Database;
  readonly breaker: DatabaseBreaker;
  readonly prefix: string;
  readonly emit: Emit;
  /** Aborted when the worker is to stop. */
  readonly signal: AbortSignal;
}

export class LedgerWatch {
  readonly #dependencies: LedgerWatchDependencies;
  readonly #applied = new Map<Lane, bigint>();

  constructor(dependencies: LedgerWatchDependencies) {
    this.#dependencies = dependencies;
  }

  /** Compares all lanes now, and whenever `redis` is connected again. */
  async start(redis: RedisClient): Promise<void> {
    const { all } = this.#dependencies.lanes;
    await this.compare(all);
    redis.on('ready', () => this.compare(all));
  }

  /** The number of the lane's last batch that is known to be applied; 0 when none is. */
  floorOf(lane: Lane): bigint {
    return this.#applied.get(lane) ?? 0n;
  }

  applied(lane: Lane, number: bigint): void {
    if (number > this.floorOf(lane)) this.#applied.set(lane, number);
  }

  /** Tells of the lanes that Redis has lost batches of. Tries until it can, or the worker is to stop; throws nothing. */
  async compare(lanes: readonly Lane[]): Promise<void> {
    const { emit, signal } = this.#dependencies;
    while (!signal.aborted) {
      try {
        await this.#compareOnce(lanes);
        return;
      } catch (error) {
        if (!(error instanceof DatabaseAway)) emit({ type: 'ledger.not-compared', retryMs, error });
        await pause(retryMs, signal);
      }
    }
  }

  /** The ledger is read first: Redis is ahead of it then, unless it has lost batches. */
  async #compareOnce(lanes: readonly Lane[]): Promise<void> {
    const { database, prefix, breaker } = this.#dependencies;
    const ledgers = await breaker.run(() => readLedgers(database, prefix, lanes));
    await Promise.all([...ledgers].map(([lane, number]) => this.#raise(lane, number)));
  }

  async #raise(lane: Lane, ledger: bigint): Promise<void> {
    const { buffer, emit } = this.#dependencies;
    this.applied(lane, ledger);
    const batch = await buffer.raise(lane, ledger);
    if (batch === undefined) return;
    emit({
      type: 'redis.regressed',
      lane: lane.name,
      batch: String(batch),
      ledger: String(ledger),
      ...(batch === 0n ? {} : { since: timeOf(batch) }),
      until: timeOf(ledger),
    });
  }
}

/** Numbers follow the clock of Redis, in µs. */
function timeOf(number: bigint): string {
  return new Date(Number(number) / 1_000).toISOString();
}
