/** The calls of an app's clients: each is made, recorded, and its error sorted into what is certain and what is not. */
import type { Forebay } from '../src/app/connect.js';
import type { Receipt } from '../src/client/receipts/receipt.js';
import type { Durability } from '../src/definitions/record.js';
import { type ErrorCode, isForebayError } from '../src/errors.js';
import type { Op } from './history.js';
import { splitKey } from './keys.js';
import type { Ended, Recorder } from './recorder.js';
import type { RowReader } from './row-reader.js';
import type { stores } from './stores.js';

export interface CallParts {
  readonly app: Forebay<(typeof stores)['definitions']>;
  readonly rows: RowReader;
  readonly recorder: Recorder;
}

/** With any other error, the write may have been accepted. */
const certainlyNotWritten: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'REDIS_UNAVAILABLE',
  'REDIS_REFUSED',
  'REDIS_OUT_OF_MEMORY',
  'BACKLOG_FULL',
  'TOO_MANY_WRITES',
  'CONFLICT',
  'DATABASE_UNAVAILABLE',
  'TOO_MANY_LOADS',
  'LOAD_TIMEOUT',
  'INVALID_CONFIG',
  'CLOSED',
]);

export class Calls {
  readonly #parts: CallParts;
  /** Receipts that are waited for. */
  readonly #waits = new Set<Promise<void>>();

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  async put(
    client: number,
    key: string,
    wrote: string,
    durability: Durability,
  ): Promise<Receipt | undefined> {
    const { record, id } = this.#recordOf(key);
    return this.#write({ client, kind: 'put', key, wrote, durability }, () =>
      record.put({ id, name: wrote }, { durability }),
    );
  }

  async delete(client: number, key: string, durability: Durability): Promise<Receipt | undefined> {
    const { record, id } = this.#recordOf(key);
    return this.#write({ client, kind: 'delete', key, wrote: null, durability }, () =>
      record.delete(id, { durability }),
    );
  }

  async update(client: number, key: string, wrote: string): Promise<Receipt | undefined> {
    const { record, id } = this.#recordOf(key);
    let read: string | null = null;
    const change = (row: { name: string } | null) => {
      read = row?.name ?? null;
      return { id, name: wrote };
    };
    const begun = { client, kind: 'update', key, wrote, durability: 'memory' } as const;
    return this.#write(
      begun,
      () => record.update(id, change),
      () => ({ read }),
    );
  }

  async add(
    client: number,
    key: string,
    delta: number,
    durability: Durability,
  ): Promise<Receipt | undefined> {
    const { id } = splitKey(key);
    return this.#write({ client, kind: 'add', key, delta, durability }, () =>
      this.#parts.app.stores.counts.add(id, delta, { durability }),
    );
  }

  async read(client: number, key: string): Promise<void> {
    const { store, id } = splitKey(key);
    const { counts, plain, versioned } = this.#parts.app.stores;
    const end = this.#parts.recorder.begin({ client, kind: store === 'counts' ? 'count' : 'get', key });
    try {
      const read =
        store === 'counts'
          ? ((await counts.get(id)) ?? 0)
          : ((await { plain, versioned }[store].get(id))?.name ?? null);
      end({ outcome: 'ok', read });
    } catch (error) {
      end({ outcome: 'refused', code: codeOf(error) });
    }
  }

  async evict(key: string): Promise<void> {
    const { store, id } = splitKey(key);
    if (store === 'counts') return;
    // A failure changes nothing that is promised.
    await this.#parts.app.stores[store].evict(id).catch(codeOf);
  }

  async row(client: number, key: string): Promise<void> {
    const end = this.#parts.recorder.begin({ client, kind: 'row', key });
    const read = await this.#parts.rows.read(key);
    end(read === undefined ? { outcome: 'refused' } : { outcome: 'ok', read });
  }

  /** Waits for the receipt beside other calls, then looks whether the row is there. */
  settle(client: number, key: string, receipt: Receipt): void {
    const wait = this.#settled(client, key, receipt).finally(() => this.#waits.delete(wait));
    this.#waits.add(wait);
  }

  async receipts(): Promise<void> {
    await Promise.all(this.#waits);
  }

  async #settled(client: number, key: string, receipt: Receipt): Promise<void> {
    const version = Number(receipt.version);
    const end = this.#parts.recorder.begin({ client, kind: 'persisted', key, version });
    try {
      await receipt.persisted();
      end({ outcome: 'ok' });
    } catch (error) {
      end({ outcome: 'refused', code: codeOf(error) });
      return;
    }
    await this.row(client, key);
  }

  async #write(
    begun: Pick<Op, 'client' | 'kind' | 'key'> & Partial<Op>,
    write: () => Promise<Receipt | null>,
    facts: () => Partial<Op> = () => ({}),
  ): Promise<Receipt | undefined> {
    const end = this.#parts.recorder.begin(begun);
    try {
      const receipt = await write();
      if (receipt) end({ outcome: 'ok', version: Number(receipt.version), ...facts() });
      if (receipt && begun.durability === 'database') await this.row(begun.client, begun.key);
      return receipt ?? undefined;
    } catch (error) {
      end({ ...failure(error), ...facts() });
      return undefined;
    }
  }

  #recordOf(key: string) {
    const { store, id } = splitKey(key);
    const { plain, versioned } = this.#parts.app.stores;
    return { record: store === 'plain' ? plain : versioned, id };
  }
}

function failure(error: unknown): Ended {
  const code = codeOf(error);
  // Accepted, and not in the database in time: it is kept.
  if (isForebayError(error, 'PERSIST_TIMEOUT'))
    return { outcome: 'ok', code, version: Number(error.context.version) };
  return { outcome: certainlyNotWritten.has(code as ErrorCode) ? 'refused' : 'unknown', code };
}

function codeOf(error: unknown): string {
  return isForebayError(error) ? error.code : `${error}`;
}
