/** The release of all definitions, as a short mark: two processes with the same have the same stores. */
import { createHash } from 'node:crypto';
import type { Stores } from './stores.js';

export function releaseOfStores({ byName, computed }: Stores): string {
  const written = [...byName.values()].map((store) => [
    store.name,
    store.kind,
    store.group.name,
    store.group.partitions,
    store.kind === 'record' ? store.rows.release : '',
  ]);
  const facts = [...written, ...[...computed.keys()].map((name) => [name, 'computed'])];
  return createHash('sha256').update(JSON.stringify(facts.sort())).digest('base64url').slice(0, 6);
}
