/**
 * Changes how many lanes a store has while everything runs. Its lanes are closed: what they hold goes to the
 * database, and writes wait in the apps that issue them. Once they are empty and nothing of them is cached
 * the new number is decided, in one step, and the lanes are open by it. Until then it can be undone, by
 * anybody once its time is over. See "Another number of lanes" in src/buffer/README.md.
 */
import { dropEntries } from '../buffer/drop-entries.js';
import { type LanePlace, lanePlaces } from '../buffer/lane.js';
import { isPersistedUpTo, type LaneState } from '../buffer/lane-state.js';
import { type LaneMark, type Layout, parseLaneMark } from '../buffer/layout.js';
import type { Layouts } from '../buffer/layouts.js';
import type { FenceStep } from '../buffer/step-replies.js';
import type { WriteBuffer } from '../buffer/write-buffer.js';
import type { RedisClient } from '../connection/redis.js';
import { pause } from '../pause.js';
import type { WakeUps } from '../queues/wake-ups.js';

export interface LaneChangeOptions {
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly buffer: Pick<WriteBuffer, 'fence' | 'inspect' | 'hurry'>;
  readonly layouts: Pick<Layouts, 'read' | 'replace' | 'undo'>;
  readonly queue: Pick<WakeUps, 'hurry'>;
  /** For how long its lanes may be closed, and how long it waits before that for what they hold. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly isPaused: boolean;
  /** Records that are not in the database yet. */
  onLeft(left: number): void;
}

export type LaneChangeOutcome =
  | { readonly kind: 'changed'; readonly closedMs: number }
  /** It has this number already. */
  | { readonly kind: 'same' }
  /** Why the number is what it was. */
  | { readonly kind: 'unchanged'; readonly why: string };

/** Why a change ends before it is decided. */
class NotNow extends Error {}

const lookEveryMs = 20;
const hurryEveryMs = 500;
const otherEveryMs = 100;

/** @throws what Redis throws; the change is undone then, by this or by whoever looks after its time */
export async function changeLanes(
  store: string,
  partitions: number,
  options: LaneChangeOptions,
): Promise<LaneChangeOutcome> {
  return new LaneChange(store, partitions, options).run();
}

class LaneChange {
  readonly #store: string;
  readonly #partitions: number;
  readonly #options: LaneChangeOptions;

  constructor(store: string, partitions: number, options: LaneChangeOptions) {
    this.#store = store;
    this.#partitions = partitions;
    this.#options = options;
  }

  async run(): Promise<LaneChangeOutcome> {
    try {
      return await this.#run();
    } catch (error) {
      if (error instanceof NotNow) return { kind: 'unchanged', why: error.message };
      throw error;
    }
  }

  async #run(): Promise<LaneChangeOutcome> {
    const { layout, now } = await this.#settled();
    const lanes = this.#lanesOf(layout);
    const marks = await Promise.all(lanes.map((lane) => this.#markOf(lane)));
    if (layout.partitions === this.#partitions && areOpen(layout, marks)) return { kind: 'same' };
    await this.#prepare(lanes);
    const epochs = marks.flatMap((mark) => mark?.epoch ?? []);
    return this.#change(lanes, layout, Math.max(now, layout.epoch + 1, ...epochs.map((epoch) => epoch + 1)));
  }

  /** Once a change by another command is decided, or its time is over. */
  async #settled(): Promise<{ layout: Layout; now: number }> {
    const { layouts, signal } = this.#options;
    for (;;) {
      const { layout, now } = await layouts.read(this.#store);
      if (layout === undefined) throw new NotNow('The store was never written.');
      if (!layout.next) return { layout, now };
      if (signal.aborted) throw new NotNow('Another command changes it.');
      await pause(otherEveryMs, signal);
    }
  }

  /** All that it has, and all that it is to have. */
  #lanesOf({ partitions, tags }: Layout): LanePlace[] {
    return lanePlaces(this.#options.prefix, this.#store, {
      partitions: Math.max(partitions, this.#partitions),
      tags,
    });
  }

  async #markOf({ keys }: LanePlace): Promise<LaneMark | undefined> {
    return parseLaneMark(await this.#options.redis.hget(keys.meta, 'partitions'));
  }

  /** While writes are taken: so that little is left to do once they wait, and that somebody does it. */
  async #prepare(lanes: readonly LanePlace[]): Promise<void> {
    const { isPaused, timeoutMs } = this.#options;
    if (isPaused) throw new NotNow(`It is paused. First: forebay resume ${this.#store}`);
    const before = await this.#inspect(lanes);
    this.#refuseDead(before);
    const upTo = before.map(({ version }) => version);
    const isDone = (states: readonly LaneState[]) =>
      states.every((state, at) => isPersistedUpTo(upTo[at] as bigint, state));
    if (await this.#drain(lanes, Date.now() + timeoutMs, isDone, upTo)) return;
    throw new NotNow(notDrained(await this.#inspect(lanes), timeoutMs));
  }

  async #change(lanes: readonly LanePlace[], before: Layout, epoch: number): Promise<LaneChangeOutcome> {
    const { layouts, timeoutMs } = this.#options;
    const next = { partitions: this.#partitions, epoch, until: epoch + timeoutMs * 1_000 };
    const changing = { ...before, next };
    if (!(await layouts.replace(this.#store, before, changing))) throw new NotNow(somebodyElse);
    const startedAt = Date.now();
    try {
      const decided = await this.#decide(lanes, changing, startedAt + timeoutMs);
      await this.#open(lanes, decided);
      return { kind: 'changed', closedMs: Date.now() - startedAt };
    } catch (error) {
      await this.#undo(lanes, changing);
      throw error;
    }
  }

  async #decide(lanes: readonly LanePlace[], changing: Layout, deadline: number): Promise<Layout> {
    const { redis, prefix, layouts, timeoutMs } = this.#options;
    const { partitions, tags, next } = changing;
    const epoch = next?.epoch ?? 0;
    await this.#fence(lanes, 'close', { partitions, epoch });
    const dropped = dropEntries(redis, prefix, lanes);
    const isEmpty = ({ dirty, sealed }: LaneState): boolean => dirty + sealed === 0;
    const [isDrained] = await Promise.all([
      this.#drain(lanes, deadline, (states) => states.every(isEmpty)),
      dropped,
    ]);
    const states = await this.#inspect(lanes);
    this.#refuseDead(states);
    if (!isDrained) throw new NotNow(notDrained(states, timeoutMs));
    const versions = await this.#fence(lanes, 'move', { partitions, epoch });
    const decided = {
      partitions: this.#partitions,
      tags,
      epoch: Math.max(epoch, ...versions.map(Number)) + 1,
    };
    if (!(await layouts.replace(this.#store, changing, decided))) throw new NotNow(tooLate);
    return decided;
  }

  /** Returns the lanes' last versions. */
  async #fence(
    lanes: readonly LanePlace[],
    step: FenceStep,
    layout: Pick<Layout, 'partitions' | 'epoch'>,
  ): Promise<bigint[]> {
    const replies = await Promise.all(lanes.map((lane) => this.#options.buffer.fence(lane, step, layout)));
    if (replies.some(({ kind }) => kind !== 'done')) throw new NotNow(tooLate);
    return replies.map(({ version }) => version);
  }

  /** Whoever comes to a lane that is not open yet opens it: this only has it done now. */
  async #open(lanes: readonly LanePlace[], decided: Layout): Promise<void> {
    const { buffer } = this.#options;
    await Promise.all(
      lanes.slice(0, decided.partitions).map((lane) => buffer.fence(lane, 'open', decided)),
    ).catch(() => undefined);
  }

  /** What can't be undone now is undone by whoever looks once its time is over. */
  async #undo(lanes: readonly LanePlace[], changing: Layout): Promise<void> {
    const { layouts } = this.#options;
    const now = await layouts.undo(this.#store, changing).catch(() => undefined);
    if (now && !now.next) await this.#open(lanes, now);
  }

  /** False: it took longer, or is to end. */
  async #drain(
    lanes: readonly LanePlace[],
    deadline: number,
    isDone: (states: readonly LaneState[]) => boolean,
    upTo: readonly bigint[] = [],
  ): Promise<boolean> {
    const { signal, onLeft } = this.#options;
    let hurriedAt = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      const states = await this.#inspect(lanes, upTo);
      onLeft(states.reduce((sum, { dirty, sealed }) => sum + dirty + sealed, 0));
      if (isDone(states)) return true;
      if (Date.now() >= deadline) return false;
      if (Date.now() - hurriedAt >= hurryEveryMs) {
        hurriedAt = Date.now();
        await Promise.all(lanes.filter((_, i) => isHeld(states[i])).map((lane) => this.#hurry(lane)));
      }
      await pause(lookEveryMs, signal);
    }
    return false;
  }

  async #hurry(lane: LanePlace): Promise<void> {
    const { buffer, queue } = this.#options;
    if ((await buffer.hurry(lane)) !== undefined) await queue.hurry(lane.name);
  }

  #inspect(lanes: readonly LanePlace[], upTo: readonly bigint[] = []): Promise<LaneState[]> {
    return Promise.all(lanes.map((lane, at) => this.#options.buffer.inspect(lane, upTo[at])));
  }

  /** A letter is superseded by its record's next write, which must come to the same lane. */
  #refuseDead(states: readonly LaneState[]): void {
    const dead = states.reduce((sum, state) => sum + state.dead, 0);
    if (dead === 0) return;
    throw new NotNow(
      `The database has refused ${dead} of its records. First replay or discard them: forebay dead-letters ${this.#store}`,
    );
  }
}

const isHeld = (state: LaneState | undefined): boolean =>
  state !== undefined && state.dirty + state.sealed > 0;

/** Whether the lanes are as the layout says: of a store that was never changed they say nothing. */
function areOpen({ partitions, epoch }: Layout, marks: readonly (LaneMark | undefined)[]): boolean {
  return marks.every((mark) =>
    mark ? mark.state === 'open' && mark.partitions === partitions && mark.epoch === epoch : epoch === 0,
  );
}

function notDrained(states: readonly LaneState[], timeoutMs: number): string {
  const left = states.reduce((sum, { dirty, sealed }) => sum + dirty + sealed, 0);
  const waiting = states.reduce((sum, state) => sum + state.waiting, 0);
  return (
    `Not all of it was in the database after ${timeoutMs / 1_000} s: ${left} records are left, ${waiting} of which wait for others' rows or their tenant's turn. ` +
    'Do workers run? See forebay status; or give it longer: --timeout.'
  );
}

const somebodyElse = 'Somebody else has just changed it. Give the command again.';
const tooLate = 'It took too long, or somebody else changed it meanwhile. Give the command again.';
