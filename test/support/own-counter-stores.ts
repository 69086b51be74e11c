/** A counter with a load of its own, for commands that are given a file of stores. */
import { counter } from '../../src/definitions/counter.js';
import { defineStores } from '../../src/definitions/stores.js';

export const stores = defineStores({
  visits: counter({
    load: async (ids, tx) => {
      const [row] = await tx.$queryRawUnsafe<{ level: string }[]>(
        "SELECT current_setting('transaction_isolation') AS level",
      );
      return new Map(ids.map((id) => [id, row?.level === 'repeatable read' ? 3n : 0n]));
    },
    persist: async () => undefined,
  }),
});
