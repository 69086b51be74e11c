/** What is accepted and not in the database yet, as the lanes say it. */
import type { Lanes } from './lane.js';
import type { LaneState } from './lane-state.js';
import type { WriteBuffer } from './write-buffer.js';

/** Of one store with the counters in its rows, or of all. */
export interface BacklogCounts {
  /** Records that wait for a batch. */
  readonly dirty: number;
  /** Records in batches that are on their way to the database. */
  readonly sealed: number;
  /** Of the dirty ones, those that wait for others' rows, or their tenant's turn. */
  readonly waiting: number;
  /** Records that the database refused, kept until they are replayed, superseded or discarded. */
  readonly dead: number;
  /** Age of the oldest dirty or sealed one, in ms; 0 when there is none. */
  readonly oldestDirtyAgeMs: number;
  /** Records that workers have persisted so far. */
  readonly persisted: number;
  /** Batches that workers have persisted so far. */
  readonly batches: number;
}

/** What is accepted and not in the database yet, over all stores and processes. */
export interface Backlog extends BacklogCounts {
  /** The same for each store, by its name; counters in a record's row are its store's. */
  readonly byStore: Readonly<Record<string, BacklogCounts>>;
}

/** @throws what Redis throws */
export async function readBacklog(lanes: Lanes, buffer: Pick<WriteBuffer, 'inspect'>): Promise<Backlog> {
  const states = await Promise.all(lanes.all.map((lane) => buffer.inspect(lane)));
  const byStore = new Map<string, LaneState[]>(lanes.all.map(({ group }) => [group.name, []]));
  for (const [i, { group }] of lanes.all.entries()) byStore.get(group.name)?.push(states[i] as LaneState);
  return {
    ...countsOf(states),
    byStore: Object.fromEntries([...byStore].map(([store, some]) => [store, countsOf(some)])),
  };
}

function countsOf(states: readonly LaneState[]): BacklogCounts {
  const sum = (pick: (state: LaneState) => number): number =>
    states.reduce((total, state) => total + pick(state), 0);
  return {
    dirty: sum(({ dirty }) => dirty),
    sealed: sum(({ sealed }) => sealed),
    waiting: sum(({ waiting }) => waiting),
    dead: sum(({ dead }) => dead),
    oldestDirtyAgeMs: Math.max(0, ...states.map(({ ageMs }) => ageMs)),
    persisted: sum(({ persisted }) => persisted),
    batches: sum(({ batches }) => batches),
  };
}
