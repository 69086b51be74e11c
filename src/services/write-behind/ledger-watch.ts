/**
 * Compares lanes with the ledger: a lane of which the ledger has a newer batch than Redis has gone back in
 * time, because it was replaced by an older replica, restored from a backup or emptied. What stands in such a
 * lane's entries counts no more: the loss is told, they are dropped, and only then a batch is sealed. It also
 * remembers which batches are known to be applied.
 */
import { dropEntries } from '../../buffer/drop-entries.js';
import type { Lane, Lanes } from '../../buffer/lane.js';
import type { LedgerState } from '../../buffer/lane-state.js';
import type { WriteBuffer } from '../../buffer/write-buffer.js';
import type { RedisClient } from '../../connection/redis.js';
import type { Database } from '../../database/database.js';
import { readLedgers } from '../../database/ledger.js';
import type { Emit } from '../../events.js';
import { pause } from '../../pause.js';
import { DatabaseAway, type DatabaseBreaker } from './database-breaker.js';

const retryMs = 1_000;
/** Redis serves nobody else meanwhile. */
const fieldsAtOnce = 500;

export interface LedgerWatchDependencies {
  readonly lanes: Lanes;
  readonly redis: RedisClient;
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
  /** These by the lanes' names. */
  readonly #applied = new Map<string, bigint>();
  /** The generation of a lane that was compared. */
  readonly #compared = new Map<string, string>();
  /** The ledger's number when a lane's loss was told. */
  readonly #told = new Map<string, bigint>();

  constructor(dependencies: LedgerWatchDependencies) {
    this.#dependencies = dependencies;
  }

  /** Compares all lanes now, and whenever Redis is connected again. */
  async start(): Promise<void> {
    const { lanes, redis } = this.#dependencies;
    await this.compare(lanes.all);
    redis.on('ready', () => {
      this.#compared.clear();
      void this.compare(lanes.all);
    });
  }

  /** The number of the lane's last batch that is known to be applied; 0 when none is. */
  floorOf(lane: Lane): bigint {
    return this.#applied.get(lane.name) ?? 0n;
  }

  /** The lane's generation that was compared: a batch of it may be sealed. Of one that was not, none may. */
  comparedOf(lane: Lane): string {
    return this.#compared.get(lane.name) ?? 'none';
  }

  /** Whether all lanes were compared since the last connect. */
  get areCompared(): boolean {
    return this.#dependencies.lanes.all.every(({ name }) => this.#compared.has(name));
  }

  applied(lane: Lane, number: bigint): void {
    if (number > this.floorOf(lane)) this.#applied.set(lane.name, number);
  }

  /** Compares lanes until it can, or the worker is to stop; throws nothing. */
  async compare(lanes: readonly Lane[]): Promise<void> {
    const { emit, signal } = this.#dependencies;
    while (!signal.aborted) {
      try {
        await this.compareOnce(lanes);
        return;
      } catch (error) {
        if (!(error instanceof DatabaseAway)) emit({ type: 'ledger.not-compared', retryMs, error });
        await pause(retryMs, signal);
      }
    }
  }

  /**
   * The ledger is read first: Redis is ahead of it then, unless it has lost batches.
   * @throws DatabaseAway, and what Redis or the database throws
   */
  async compareOnce(lanes: readonly Lane[]): Promise<void> {
    const { redis, prefix } = this.#dependencies;
    let behind = await this.#raise(lanes, new Map());
    // Once more for each time that Redis goes back meanwhile: what was dropped is there again then.
    while (behind.size > 0) {
      await dropEntries(redis, prefix, [...behind.keys()]);
      await Promise.all([...behind.keys()].map((lane) => this.#noteForeign(lane)));
      behind = await this.#raise([...behind.keys()], behind);
    }
  }

  /**
   * What was patched meanwhile was patched in a row as it was cached: the columns that it leaves are the
   * ledger's batches' to say, so its entry is dropped once more when it is acknowledged.
   */
  async #noteForeign(lane: Lane): Promise<void> {
    const { buffer } = this.#dependencies;
    const fields = await buffer.pendingFields(lane);
    for (let i = 0; i < fields.length; i += fieldsAtOnce)
      await buffer.dropForeign(lane, fields.slice(i, i + fieldsAtOnce));
  }

  /**
   * Returns those that are behind, and to be cleared first, with the generations that they are in now. That
   * is told before it is mended: a worker that dies, or loses its connection, in between leaves a loss that
   * the next one finds.
   * @param cleared those whose entries were dropped, with the generations in which they were behind
   */
  async #raise(lanes: readonly Lane[], cleared: ReadonlyMap<Lane, string>): Promise<Map<Lane, string>> {
    const { database, prefix, breaker, buffer } = this.#dependencies;
    const ledgers = await breaker.run(() => readLedgers(database, prefix, lanes));
    const behind = new Map<Lane, string>();
    await Promise.all(
      lanes.map(async (lane) => {
        const ledger = ledgers.get(lane);
        const reply = await buffer.raise(lane, ledger, cleared.get(lane) ?? '');
        if (ledger) this.applied(lane, ledger.batch);
        if (reply.kind === 'even') return void this.#compared.set(lane.name, reply.generation);
        this.#tell(lane, reply.batch, ledger as LedgerState);
        behind.set(lane, reply.generation);
      }),
    );
    return behind;
  }

  #tell(lane: Lane, own: bigint, { batch }: LedgerState): void {
    if (this.#told.get(lane.name) === batch) return;
    this.#told.set(lane.name, batch);
    this.#dependencies.emit({
      type: 'redis.regressed',
      lane: lane.name,
      batch: String(own),
      ledger: String(batch),
      ...(own === 0n ? {} : { since: timeOf(own) }),
      until: timeOf(batch),
    });
  }
}

/** Numbers follow the clock of Redis, in µs. */
function timeOf(number: bigint): string {
  return new Date(Number(number) / 1_000).toISOString();
}
