/** The lanes of a test's app: the steps of the write buffer, in memory. Nothing of them is ever sealed. */
import type { AppBuffer, AppLetters } from '../../buffer/app-buffer.js';
import type { Lane } from '../../buffer/lane.js';
import type { AcceptedAt, LaneState } from '../../buffer/lane-state.js';
import type { RecordKind } from '../../buffer/scripts.js';
import type { Accepted, CountersClaim, Fill, RecordClaim, Write } from '../../buffer/step-replies.js';
import { filledChannel } from '../../keys.js';
import type { TestClock } from '../clock.js';
import type { Faults } from '../faults.js';
import type { MemoryBus } from './bus.js';
import type { MemoryEntries } from './entries.js';
import { LaneMemory } from './lane-memory.js';
import { acceptWrite, recordOf, refusalOf } from './lane-writes.js';
import { MemoryLetters } from './letters.js';

export interface MemoryBufferDependencies {
  readonly entries: MemoryEntries;
  readonly clock: TestClock;
  readonly faults: Faults;
  readonly bus: MemoryBus;
  readonly prefix: string;
}

/** Nothing is lost from memory, so a lane has one only. */
export const onlyGeneration = 'memory';

type LaneKey = Pick<Lane, 'keys'>;

export class MemoryBuffer implements AppBuffer {
  readonly letters: AppLetters;
  readonly #dependencies: MemoryBufferDependencies;
  readonly #entries: MemoryEntries;
  readonly #lanes = new Map<string, LaneMemory>();

  constructor(dependencies: MemoryBufferDependencies) {
    this.#dependencies = dependencies;
    this.#entries = dependencies.entries;
    this.letters = new MemoryLetters((lane) => this.#open(lane), dependencies.clock);
  }

  /** What a lane holds, for whoever takes it to the database. */
  memoryOf({ keys }: LaneKey): LaneMemory {
    let memory = this.#lanes.get(keys.meta);
    if (memory === undefined) {
      memory = new LaneMemory();
      this.#lanes.set(keys.meta, memory);
    }
    return memory;
  }

  async write(lane: Lane, writes: readonly Write[]): Promise<Accepted> {
    const memory = this.#open(lane);
    const wake = memory.dirty === 0;
    const place = { lane, memory, entries: this.#entries, nowMs: this.#dependencies.clock.now() };
    const replies: Accepted['replies'] = [];
    // Those that belong together, and are refused.
    let refusedUpTo = -1;
    for (const [at, write] of writes.entries()) {
      const before = replies.at(-1);
      const last = at + Number(write.op === 'together' && write.payload);
      const refused = last > at ? refusalOf(place, writes.slice(at + 1, last + 1)) : undefined;
      if (refused) refusedUpTo = last;
      // A forget belongs to the delete before it.
      const isRefused =
        at <= refusedUpTo || (write.op === 'forget' && before !== undefined && 'refused' in before);
      replies.push(refused ?? (isRefused && before ? before : acceptWrite(place, write)));
    }
    return { wake: wake && memory.dirty > 0, generation: onlyGeneration, replies };
  }

  async claim(
    lane: Lane,
    fields: readonly string[],
    { token, leaseMs, ttlMs }: { token: string; leaseMs: number; ttlMs: number },
  ): Promise<RecordClaim[]> {
    const { rows } = this.#open(lane);
    return fields.map((field) => {
      const key = lane.keys.entryPrefix + field;
      const pending = rows.get(field);
      if (pending === undefined) return this.#claimEntry(key, token, leaseMs);
      this.#entries.set(key, recordOf(pending), ttlMs);
      return { kind: 'value', entry: recordOf(pending) };
    });
  }

  async claimCounters(
    lane: Lane,
    fields: readonly string[],
    recordFields: readonly string[],
    { token, leaseMs }: { token: string; leaseMs: number },
  ): Promise<CountersClaim> {
    const { rows, deltas, batch } = this.#open(lane);
    const counters = fields.map((field, i) => ({
      ...this.#claimEntry(lane.keys.entryPrefix + field, token, leaseMs),
      dirtyDelta: deltas.get(field)?.delta ?? 0n,
      sealedDelta: 0n,
      dirtyRecord: (rows.get(recordFields[i] as string)?.kind ?? '') as RecordKind,
      sealedRecord: '' as const,
    }));
    return { batch: batch === 0n ? undefined : batch, sealed: undefined, counters };
  }

  #claimEntry(key: string, token: string, leaseMs: number): RecordClaim {
    const content = this.#entries.get(key);
    if (content === null || content === `?${token}`) {
      this.#entries.set(key, `?${token}`, leaseMs);
      return { kind: 'lease' };
    }
    if (content[0] !== '?') return { kind: 'value', entry: content };
    return { kind: 'wait', waitMs: this.#entries.leftMs(key) };
  }

  async fill(lane: Lane, token: string, fills: readonly Fill[]): Promise<boolean[]> {
    const memory = this.#open(lane);
    const { bus, prefix } = this.#dependencies;
    return fills.map(({ field, content, ttlMs }) => {
      const key = lane.keys.entryPrefix + field;
      bus.publish(filledChannel(prefix), key);
      if (this.#entries.get(key) !== `?${token}`) return false;
      if (content === '') this.#entries.delete(key);
      else this.#entries.set(key, this.#versioned(memory, content), ttlMs);
      return content !== '';
    });
  }

  /** What was loaded gets a version, as no other state of the record has had it. */
  #versioned(memory: LaneMemory, content: string): string {
    if (!/^[PD]\|/.test(content)) return content;
    return `${content[0]}${memory.nextVersion(this.#dependencies.clock.now())}${content.slice(1)}`;
  }

  async drop({ keys }: Lane, versions: ReadonlyMap<string, string>): Promise<void> {
    for (const [field, version] of versions) {
      const key = keys.entryPrefix + field;
      if (this.#entries.get(key)?.slice(1).startsWith(`${version}|`)) this.#entries.delete(key);
    }
  }

  async isPending(lane: Lane, field: string): Promise<boolean> {
    return this.#open(lane).isPending(field);
  }

  /** In memory no row refers to another. */
  async isWaiting(): Promise<boolean> {
    return false;
  }

  async waitsToDelete(): Promise<boolean> {
    return false;
  }

  async hurry(lane: LaneKey): Promise<AcceptedAt | undefined> {
    const { dirty, version } = this.#open(lane);
    return dirty === 0 ? undefined : { version, generation: onlyGeneration };
  }

  async inspect(lane: LaneKey): Promise<LaneState> {
    const { version, oldest, dirty, persisted, batches, letters } = this.#open(lane);
    const nowMs = this.#dependencies.clock.now();
    return {
      version,
      oldest,
      dirty,
      sealed: 0,
      persisted,
      batches,
      ageMs: oldest === undefined ? 0 : Math.max(0, nowMs - Number(oldest) / 1_000),
      dead: letters.size,
      waiting: 0,
      waitsSince: undefined,
      generation: onlyGeneration,
      past: new Map(),
    };
  }

  #open(lane: LaneKey): LaneMemory {
    this.#dependencies.faults.pass('redis');
    return this.memoryOf(lane);
  }
}
