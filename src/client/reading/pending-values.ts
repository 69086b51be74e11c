/** Values that were written behind and may not be in the database yet: a load must not overtake them. */
import type { Definitions } from '../../definitions/stores.js';
import { isWriter, toValue, type WriterRow } from '../../definitions/writer.js';
import { ForebayError } from '../../errors.js';
import type { RecordClient } from '../stores/record-client.js';

type WriterClient = RecordClient<WriterRow<unknown>, WriterRow<unknown>, string>;

export class PendingValues {
  /** By what its keys begin with. */
  readonly #writers = new Map<string, WriterClient>();

  /** @throws ForebayError INVALID_DEFINITION */
  constructor(definitions: Definitions, clients: Readonly<Record<string, unknown>>) {
    for (const [name, definition] of Object.entries(definitions)) {
      if (!isWriter(definition)) continue;
      const { writerOf } = definition;
      if (this.#writers.has(writerOf)) throw twoWriters(writerOf);
      this.#writers.set(writerOf, clients[name] as WriterClient);
    }
  }

  /** The client of the writer that a key's values are written behind with. */
  writerOf(key: string): object | undefined {
    for (const [start, writer] of this.#writers) if (key.startsWith(`${start}:`)) return writer;
    return undefined;
  }

  /** Those of the keys that are pending. @throws ForebayError REDIS_UNAVAILABLE */
  async of(keys: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
    const found = new Map<string, unknown>();
    if (this.#writers.size === 0) return found;
    await Promise.all(
      [...this.#writers].map(async ([start, writer]) => {
        const rows = await writer.getMany(keys.filter((key) => key.startsWith(`${start}:`)));
        for (const row of rows) if (row !== null) found.set(row.key, toValue(row).data);
      }),
    );
    return found;
  }
}

function twoWriters(keys: string): ForebayError {
  return new ForebayError(
    'INVALID_DEFINITION',
    `Keys ${keys}:… have two writers. Give each kind of value one.`,
  );
}
