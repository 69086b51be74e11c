/** Values that were written behind and may not be in the database yet: a load must not overtake them. */
import type { Definitions } from '../definitions/stores.js';
import { isWriter, toValue, type WriterRow } from '../patterns/writer.js';
import type { RecordClient } from './record-client.js';

type WriterClient = RecordClient<WriterRow<unknown>, WriterRow<unknown>, string>;

export class PendingValues {
  /** By what its keys begin with. */
  readonly #writers = new Map<string, WriterClient>();

  constructor(definitions: Definitions, clients: Readonly<Record<string, unknown>>) {
    for (const [name, definition] of Object.entries(definitions)) {
      if (isWriter(definition)) this.#writers.set(definition.writerOf, clients[name] as WriterClient);
    }
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
