/** `forebay flush`: asks that everything accepted by now is written, whatever the delay of its store. */
import { type LanePlace, lanePlaces } from '../buffer/lane.js';
import { isPersistedUpTo, type LaneState } from '../buffer/lane-state.js';
import type { LaneLayout } from '../buffer/layout.js';
import { readLayouts } from '../buffer/layouts.js';
import { Pauses } from '../buffer/pauses.js';
import { WriteBuffer } from '../buffer/write-buffer.js';
import { duration } from '../operations/duration.js';
import { pause } from '../pause.js';
import { WriteBehindQueue } from '../queues/write-behind-queue.js';
import type { Io } from './command.js';
import { ProgressBar } from './progress-bar.js';
import { unknownStore } from './unknown-store.js';
import { withConnections } from './with-connections.js';

export interface FlushOptions {
  /** Until all is in the database. */
  readonly isWaiting: boolean;
  readonly timeoutMs: number;
}

/** A lane, and what was accepted in it when the command was given. */
interface Target {
  readonly lane: LanePlace;
  readonly version: bigint;
  /** Records that were not in the database then, and dead letters. */
  readonly pending: number;
  readonly dead: number;
}

const lookEveryMs = 100;

/**
 * Returns the exit code: 1 when what is waited for is not in the database. @throws UsageError for a store
 * that was never written; ForebayError REDIS_UNAVAILABLE
 */
export async function flush(store: string | undefined, io: Io, options: FlushOptions): Promise<number> {
  const { prefix, redis, queueRedis } = io.config();
  const plan = { lanes: [redis, 'reads'], queue: [queueRedis, 'queue'] } as const;
  return withConnections(plan, async (connections, resources) => {
    const queue = new WriteBehindQueue(connections.queue, prefix, () => undefined);
    resources.own('queue', queue, (it) => it.close());
    const buffer = new WriteBuffer(connections.lanes, prefix);
    const stores = chosen(store, await readLayouts(connections.lanes, prefix));
    const paused = await new Pauses(connections.lanes, prefix).groups();
    const halted = stores.map(([name]) => name).filter((name) => paused.has(name));
    if (halted.length > 0)
      io.err.write(`Paused, and not written: ${halted.join(', ')}. See forebay resume.\n`);
    const lanes = stores
      .filter(([name]) => !paused.has(name))
      .flatMap(([name, layout]) => lanePlaces(prefix, name, layout));
    const targets = (await Promise.all(lanes.map((lane) => hurry(lane, buffer, queue)))).flat();
    if (!options.isWaiting) {
      io.out.write(`Asked for: ${records(sumOf(targets, ({ pending }) => pending))}.\n`);
      return 0;
    }
    const code = await waitFor(targets, buffer, io, options.timeoutMs);
    return halted.length > 0 ? 1 : code;
  });
}

function chosen(store: string | undefined, known: ReadonlyMap<string, LaneLayout>): [string, LaneLayout][] {
  const stores = [...known].filter(([name]) => store === undefined || name === store);
  if (stores.length > 0 || store === undefined) return stores;
  throw unknownStore(store, known);
}

/** None for a lane that has nothing to write. */
async function hurry(lane: LanePlace, buffer: WriteBuffer, queue: WriteBehindQueue): Promise<Target[]> {
  const { dirty, sealed, dead } = await buffer.inspect(lane);
  const last = await buffer.hurry(lane);
  if (last === undefined) return [];
  await queue.hurry(lane.name);
  return [{ lane, version: last.version, pending: dirty + sealed, dead }];
}

async function waitFor(
  targets: readonly Target[],
  buffer: WriteBuffer,
  io: Io,
  timeoutMs: number,
): Promise<number> {
  const startedAt = Date.now();
  const total = sumOf(targets, ({ pending }) => pending);
  const bar = new ProgressBar(io.err);
  try {
    for (;;) {
      const states = await Promise.all(targets.map(({ lane, version }) => buffer.inspect(lane, version)));
      const left = sumOf(targets, (target, i) => leftOf(target, states[i] as LaneState));
      const refused = sumOf(targets, ({ dead }, i) => Math.max(0, (states[i] as LaneState).dead - dead));
      bar.show('written', Math.max(0, total - left), total);
      const isLate = Date.now() - startedAt >= timeoutMs || io.signal.aborted;
      if (left > 0 && !isLate) {
        await pause(lookEveryMs, io.signal);
        continue;
      }
      bar.clear();
      return tellEnd(io, { total, left, refused, ms: Date.now() - startedAt });
    }
  } finally {
    bar.clear();
  }
}

/** Of what was there when the command was given: what came later is not waited for. */
function leftOf({ version, pending }: Target, state: LaneState): number {
  if (isPersistedUpTo(version, state)) return 0;
  return Math.min(Math.max(1, pending), state.dirty + state.sealed);
}

interface End {
  readonly total: number;
  readonly left: number;
  readonly refused: number;
  readonly ms: number;
}

function tellEnd(io: Io, { total, left, refused, ms }: End): number {
  if (left > 0) {
    io.err.write(
      `After ${duration(ms)} ${records(left)} of ${total} are not in the database. Do workers run? See forebay status.\n`,
    );
    return 1;
  }
  if (refused > 0) {
    io.err.write(`The database refused ${records(refused)}: see forebay refused.\n`);
    return 1;
  }
  io.out.write(`In the database: ${records(total)}, after ${duration(ms)}.\n`);
  return 0;
}

function records(count: number): string {
  return `${count} ${count === 1 ? 'record' : 'records'}`;
}

function sumOf<T>(items: readonly T[], figure: (item: T, i: number) => number): number {
  return items.reduce((sum, item, i) => sum + figure(item, i), 0);
}
