/**
 * An entry as Redis would keep it, the row behind it, and processes that read it by `LeasedLoads`, without Redis: each message arrives when a
 * fast-check scheduler says so, those of one process in their order.
 */
import type fc from 'fast-check';
import { LeasedLoads } from '../../src/cache/reading/leased-loads.js';
import { LoadLimit } from '../../src/cache/reading/load-limit.js';
import type { Missed } from '../../src/cache/reading/load-task.js';
import { Loading } from '../../src/cache/reading/loading.js';
import type { Claim, Fill, Filled, Lease, Loaded, Look, Port } from '../../src/cache/reading/port.js';

/**
 * `row`: a write puts the value into the entry. `counter`: a write of what was absent leaves the entry as it is. `value`: a write changes the
 * version of the value's tag, and leaves the entry as it is.
 */
export type Kind = 'row' | 'counter' | 'value';

interface Version extends Loaded<number | null> {
  readonly tag: number;
}

type Entry =
  | { readonly is: 'lease'; readonly token: string }
  | { readonly is: 'value'; readonly version: number | null; readonly tag: number };

const key = 'k';

export class EntryModel {
  readonly kind: Kind;
  readonly scheduler: fc.Scheduler;
  entry: Entry | undefined;
  /** What the database has: even versions are no row. */
  row = 0;
  tag = 0;
  readonly #waiting = new Set<() => void>();

  constructor(kind: Kind, scheduler: fc.Scheduler) {
    this.kind = kind;
    this.scheduler = scheduler;
  }

  get value(): number | null {
    return numberOf(this.row);
  }

  write(): void {
    const wasAbsent = this.value === null;
    this.row += 1;
    if (this.kind === 'value') this.tag += 1;
    else if (this.kind === 'row') this.entry = { is: 'value', version: this.value, tag: 0 };
    else if (!wasAbsent) this.entry = undefined;
    if (this.kind === 'counter' && this.value !== null && this.entry?.is === 'value') this.entry = undefined;
  }

  /** An eviction, or the end of a lease. */
  evict(): void {
    this.entry = undefined;
  }

  look(): Missed | { readonly value: number | null } {
    const { entry } = this;
    if (this.#isFresh(entry)) return { value: entry.version };
    return entry?.is === 'lease' ? { key, lease: entry.token } : { key };
  }

  claim(token: string): Look<number | null, string> {
    const { entry } = this;
    if (this.#isFresh(entry)) return { kind: 'value', value: entry.version };
    if (entry?.is === 'lease' && entry.token !== token) return { kind: 'wait', waitMs: 1_000, seen: 'row' };
    this.entry = { is: 'lease', token };
    return { kind: 'lease', token, seen: 'row' };
  }

  fill({ token, loaded }: Filled<Version>): Fill {
    const isHeld = this.entry?.is === 'lease' && this.entry.token === token;
    // What has no counter is not cached.
    const isCached = this.kind !== 'counter' || loaded.value !== null;
    if (isHeld) this.entry = isCached ? { is: 'value', version: loaded.value, tag: loaded.tag } : undefined;
    this.#wake();
    return { kind: isHeld ? 'filled' : 'revoked' };
  }

  release({ token }: Lease): void {
    if (this.entry?.is === 'lease' && this.entry.token === token) this.entry = undefined;
    this.#wake();
  }

  load(): Version {
    const { value, tag } = this;
    return { value, tag, isProven: this.kind !== 'counter' || value !== null };
  }

  enter(): { until(): Promise<boolean>; leave(): void } {
    let wake = (): void => undefined;
    const woken = new Promise<true>((resolve) => {
      wake = () => resolve(true);
    });
    this.#waiting.add(wake);
    return {
      // The message may be lost: half a second is over at any time.
      until: () => Promise.race([woken, this.scheduler.schedule(Promise.resolve(false), 'half a second')]),
      leave: () => this.#waiting.delete(wake),
    };
  }

  #isFresh(entry: Entry | undefined): entry is Extract<Entry, { is: 'value' }> {
    return entry?.is === 'value' && entry.tag === this.tag;
  }

  #wake(): void {
    for (const wake of this.#waiting) void this.scheduler.schedule(Promise.resolve(), 'message').then(wake);
  }
}

function numberOf(version: number): number | null {
  return version % 2 === 0 ? null : version;
}

export class ReadingProcess implements Port<number | null, string, Version> {
  readonly loadTimeoutMs = 10_000;
  readonly leaseMs: number;
  readonly onRedisAway = 'load';
  readonly isLeaseProof: boolean;
  readonly #name: string;
  readonly #model: EntryModel;
  readonly #loading = new Loading(new LoadLimit({ loadsMax: 10, waitingMax: 100 }));
  readonly #loads: LeasedLoads<number | null>;
  readonly #counts = {
    hits: 0,
    l1Hits: 0,
    staleHits: 0,
    misses: 0,
    waits: 0,
    sets: 0,
    deletes: 0,
    errors: 0,
  };
  readonly counts = { ...this.#counts, loads: 0, loadFailures: 0 };
  #requests: Promise<unknown> = Promise.resolve();
  #replies: Promise<unknown> = Promise.resolve();
  #tokens = 0;
  /** The next load fails. */
  isFailing = false;

  /** `isLate`: its loads get their turn when a lease could end before they do. */
  constructor(name: string, model: EntryModel, isLate: boolean) {
    this.#name = name;
    this.leaseMs = this.loadTimeoutMs + (isLate ? 0 : 1_000);
    this.#model = model;
    this.isLeaseProof = model.kind !== 'value';
    this.#loads = new LeasedLoads({ loading: this.#loading, waitingRoom: model });
  }

  async read(): Promise<number | null> {
    const found = await this.#ask('look', () => this.#model.look());
    if ('value' in found) return found.value;
    const [value] = this.#loads.read([found], this) as [Promise<number | null>];
    return value;
  }

  nameOf(): string {
    return key;
  }

  countsOf() {
    return this.counts;
  }

  look(keys: readonly string[]): Promise<Look<number | null, string>>[] {
    return keys.map(() => this.#claim(`${this.#name}${++this.#tokens}`));
  }

  renew(leases: readonly Lease[]): Promise<Look<number | null, string>>[] {
    return leases.map(({ token }) => this.#claim(token));
  }

  #claim(token: string): Promise<Look<number | null, string>> {
    return this.#ask('claim', () => this.#model.claim(token));
  }

  async load(claims: readonly Claim<string>[]): Promise<Map<string, Version>> {
    const { scheduler } = this.#model;
    const isFailing = this.isFailing;
    this.isFailing = false;
    await scheduler.schedule(Promise.resolve(), `${this.#name} asks the database`);
    const loaded = this.#model.load();
    await scheduler.schedule(Promise.resolve(), `${this.#name} has loaded ${loaded.value}`);
    if (isFailing) throw new Error('the database is away');
    return new Map(claims.map((claim) => [claim.key, loaded]));
  }

  fill(loads: readonly Filled<Version>[]): Promise<Fill>[] {
    return loads.map((one) => this.#ask('fill', () => this.#model.fill(one)));
  }

  async release(leases: readonly Lease[]): Promise<void> {
    for (const lease of leases) await this.#ask('release', () => this.#model.release(lease));
  }

  /** Over the process's one connection: requests get there in their order, and so do replies. */
  async #ask<T>(what: string, act: () => T): Promise<T> {
    const { scheduler } = this.#model;
    const label = `${this.#name} ${what}`;
    const done = this.#requests.then(() => scheduler.schedule(Promise.resolve(), label)).then(act);
    this.#requests = done;
    const reply = Promise.all([done, this.#replies]).then(async ([result]) => {
      await scheduler.schedule(Promise.resolve(), `reply to ${label}`);
      return result;
    });
    this.#replies = reply;
    return reply;
  }
}
