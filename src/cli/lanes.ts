/** `forebay lanes`: the lanes of each store, and another number of them while everything runs. */
import type { LaneState } from '../buffer/lane-state.js';
import type { Layout } from '../buffer/layout.js';
import { Layouts, readLayouts } from '../buffer/layouts.js';
import { Pauses } from '../buffer/pauses.js';
import { WriteBuffer } from '../buffer/write-buffer.js';
import type { RedisClient } from '../connection/redis.js';
import { duration } from '../operations/duration.js';
import { changeLanes, type LaneChangeOutcome } from '../operations/lane-change.js';
import { Places } from '../operations/places.js';
import { ageOf, readBacklog } from '../operations/status.js';
import { WriteBehindQueue } from '../queues/write-behind-queue.js';
import type { Io } from './command.js';
import { ProgressBar } from './progress-bar.js';
import { table } from './table.js';
import { unknownStore } from './unknown-store.js';
import { withConnections } from './with-connections.js';

/** What `--json` prints of a store. */
export interface StoreLanes {
  readonly store: string;
  readonly partitions: number;
  /**
   * How their tags are made: `spread` over a cluster, or `first`, of a store that was written before that.
   */
  readonly tags: string;
  /** To what it is being changed. */
  readonly changesTo?: number;
  readonly lanes: readonly LaneLine[];
}

interface LaneLine {
  readonly lane: string;
  readonly dirty: number;
  readonly sealed: number;
  readonly waiting: number;
  readonly dead: number;
  /** Of the oldest record that is not in the database, in ms. */
  readonly ageMs: number;
}

/** @throws UsageError for a store that was never written; ForebayError REDIS_UNAVAILABLE */
export async function listLanes(
  store: string | undefined,
  io: Io,
  { isJson }: { readonly isJson: boolean },
): Promise<void> {
  const { prefix, redis } = io.config();
  await withConnections({ redis: [redis, 'reads'] } as const, async (connections) => {
    const layouts = await readLayouts(connections.redis, prefix);
    if (store !== undefined) known(store, layouts);
    const all = await readLanes(connections.redis, prefix, layouts);
    const shown = all.filter((one) => store === undefined || one.store === store);
    io.out.write(isJson ? `${JSON.stringify(shown)}\n` : text(shown));
  });
}

interface ChangeOptions {
  readonly isJson: boolean;
  readonly timeoutMs: number;
}

/** Returns the exit code. @throws as `listLanes` */
export async function changeNumber(
  store: string,
  partitions: number,
  io: Io,
  { isJson, timeoutMs }: ChangeOptions,
): Promise<number> {
  const { prefix, redis, queueRedis } = io.config();
  const plan = { lanes: [redis, 'reads'], queue: [queueRedis, 'queue'] } as const;
  return withConnections(plan, async (connections, resources) => {
    const before = known(store, await readLayouts(connections.lanes, prefix));
    const queue = new WriteBehindQueue(connections.queue, prefix, () => undefined);
    resources.own('queue', queue, (it) => it.close());
    const buffer = new WriteBuffer(connections.lanes, prefix);
    const bar = new ProgressBar(io.err);
    let most = 1;
    const outcome = await changeLanes(store, partitions, {
      redis: connections.lanes,
      prefix,
      buffer,
      layouts: new Layouts(buffer),
      queue,
      timeoutMs,
      signal: io.signal,
      isPaused: (await new Pauses(connections.lanes, prefix).groups()).has(store),
      onLeft(left) {
        most = Math.max(most, left);
        bar.show('written', most - left, most);
      },
    }).finally(() => bar.clear());
    return tell(outcome, { store, from: before.partitions, to: partitions, isJson }, io);
  });
}

interface Change {
  readonly store: string;
  readonly from: number;
  readonly to: number;
  readonly isJson: boolean;
}

function tell(outcome: LaneChangeOutcome, { store, from, to, isJson }: Change, io: Io): number {
  const code = outcome.kind === 'unchanged' ? 1 : 0;
  if (isJson) {
    io.out.write(`${JSON.stringify({ store, from, to, ...outcome })}\n`);
    return code;
  }
  if (outcome.kind === 'unchanged')
    io.err.write(`The number of lanes of ${store} was not changed. ${outcome.why}\n`);
  else if (outcome.kind === 'same') io.out.write(`${store} has ${lanes(to)}.\n`);
  else if (to === 0)
    io.out.write(
      `The lanes of ${store} are closed, and empty: its writes are refused until a release is deployed whose definitions have its records elsewhere.\n`,
    );
  else
    io.out.write(
      `${store} has ${lanes(to)}, and had ${from}. Its writes waited for ${duration(outcome.closedMs)}.\n`,
    );
  return code;
}

function known(store: string, layouts: ReadonlyMap<string, Layout>): Layout {
  const layout = layouts.get(store);
  if (layout) return layout;
  throw unknownStore(store, layouts);
}

async function readLanes(
  redis: RedisClient,
  prefix: string,
  layouts: ReadonlyMap<string, Layout>,
): Promise<StoreLanes[]> {
  const backlog = await readBacklog(redis, prefix, await Places.read(redis, prefix));
  return backlog.flatMap(({ store, lanes: all }) => {
    const layout = layouts.get(store);
    if (layout === undefined) return [];
    const { partitions, tags, next } = layout;
    return [
      {
        store,
        partitions,
        tags,
        ...(next && { changesTo: next.partitions }),
        lanes: all.map(({ lane, state }) => toLine(lane, state)),
      },
    ];
  });
}

function toLine(lane: string, state: LaneState): LaneLine {
  const { dirty, sealed, waiting, dead } = state;
  return { lane, dirty, sealed, waiting, dead, ageMs: Math.round(ageOf(state)) };
}

function text(stores: readonly StoreLanes[]): string {
  if (stores.length === 0) return 'No store was written yet.\n';
  return stores.map(storeText).join('\n');
}

function storeText({ store, partitions, tags, changesTo, lanes: all }: StoreLanes): string {
  const change = changesTo === undefined ? '' : `, being changed to ${changesTo}`;
  const rows = all.map((one) => [
    one.lane,
    ...[one.dirty, one.sealed, one.waiting, one.dead].map(String),
    one.dirty + one.sealed > 0 ? duration(one.ageMs) : '',
  ]);
  const head = ['lane', 'dirty', 'sealed', 'waiting', 'refused', 'oldest'];
  return `${store}: ${lanes(partitions)}, tags ${tags}${change}\n${table([head, ...rows], 1)}`;
}

function lanes(count: number): string {
  return `${count} ${count === 1 ? 'lane' : 'lanes'}`;
}
