/** Why a read of a key is a hit, stale or a miss. Rows and counters are explained by their stores. */

import { type EntryContent, parseEntryContent, type ValueEntry } from './entry/value-entry.js';
import type { Loading } from './reading/loading.js';
import type { PendingOf } from './reading/value-port.js';
import type { Tier } from './redis/redis-tier.js';
import type { ServerClock } from './redis/server-clock.js';
import type { ValueStore } from './value-store.js';

/** Why a read of a key is a hit, stale or a miss. */
export interface Explanation {
  /**
   * `fresh`: a hit. `stale`: its fresh time is over, and it is in grace. `invalidated`: one of its tags has
   * another version, or none. `missing`: there is no value. `pending`: there is none, and one was written
   * behind that may not be in the database yet.
   */
  readonly state: 'fresh' | 'stale' | 'invalidated' | 'missing' | 'pending';
  /** Whether this process has it in memory. */
  readonly isInMemory: boolean;
  /** New with each fill; of a row, its version; '' for an integer. */
  readonly id?: string;
  /** In ms; negative since it went stale. */
  readonly freshForMs?: number;
  /** What its load took, in ms: of values that are refreshed ahead. */
  readonly loadMs?: number;
  /** Until it is gone, in ms; Infinity when it does not expire. */
  readonly livesForMs?: number;
  /** The value's tags: with the version that it was made at, and the one of now; null when that is gone. */
  readonly tags: readonly {
    readonly tag: string;
    readonly version: string;
    readonly current: string | null;
  }[];
  /** The token of the lease under which it is being loaded. */
  readonly lease?: string;
  /** Why the last load of this process failed, when that was just now. */
  readonly lastError?: unknown;
}

export interface ExplainDependencies {
  readonly tier: Tier;
  readonly values: ValueStore;
  readonly loading: Loading;
  readonly clock: Pick<ServerClock, 'now'>;
  readonly pendingOf: PendingOf;
}

/** @throws what Redis throws */
export async function explain(key: string, dependencies: ExplainDependencies): Promise<Explanation> {
  const { tier, values, loading, pendingOf } = dependencies;
  const [content, livesForMs] = await Promise.all([tier.get(key), tier.ttlMs(key)]);
  const parsed = parseEntryContent(content);
  const failure = loading.failureOf(key);
  const facts = {
    isInMemory: values.isInMemory(key),
    ...(parsed.lease === undefined ? {} : { lease: parsed.lease }),
    ...(failure === undefined ? {} : { lastError: failure.error }),
  };
  if (parsed.value === undefined) {
    const isPending = (await pendingOf([key])).has(key);
    return { state: isPending ? 'pending' : 'missing', tags: [], ...facts };
  }
  const explained = await explainValue(parsed as EntryContent & { value: ValueEntry }, dependencies);
  return { ...explained, ...facts, ...(livesForMs === undefined ? {} : { livesForMs }) };
}

async function explainValue(
  { value }: { value: ValueEntry },
  { tier, clock }: ExplainDependencies,
): Promise<Pick<Explanation, 'state' | 'id' | 'freshForMs' | 'loadMs' | 'tags'>> {
  const known = await tier.knownTagVersions([...value.tags.keys()]);
  const tags = [...value.tags].map(([tag, version]) => ({ tag, version, current: known.get(tag) ?? null }));
  const freshForMs = value.freshUntilMs - clock.now();
  const isInvalidated = tags.some(({ version, current }) => version !== current);
  const state = isInvalidated ? 'invalidated' : freshForMs > 0 ? 'fresh' : 'stale';
  const loadMs = value.loadMs > 0 ? { loadMs: value.loadMs } : {};
  return { state, id: value.id, freshForMs, tags, ...loadMs };
}
