/**
 * Replays a history as the demo does, at a steady rate, by several apps, and goes on whatever befalls Redis: what surely was
 * not executed is tried again, the writes of a row one after the other. It notes what became of each.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Commit } from '../../demo/activity/commit.js';
import { issue } from '../../demo/replay.js';
import { type Write as DemoWrite, type TaskPut, WriteMaker } from '../../demo/writes.js';
import type { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import type { Receipt } from '../../src/client/receipts/receipt.js';
import { isForebayError } from '../../src/errors.js';

export type ReplayApp = Forebay<(typeof stores)['definitions']>;

/** A changed task is patched where its row is there. */
export type ReplayWrite =
  | DemoWrite
  | { readonly kind: 'patchTask'; readonly id: string; readonly fields: Omit<TaskPut, 'id' | 'createdAt'> };

/** A write that was accepted, or may have been. */
export interface ReplayEntry {
  readonly write: ReplayWrite;
  /** Of one that was accepted. */
  readonly receipt?: Receipt;
  /** When it was tried first, and when that was answered; in ms since 1970. */
  readonly triedAt: number;
  readonly answeredAt: number;
}

export interface ReplayFailure {
  readonly row: string;
  readonly kind: ReplayWrite['kind'];
  /** Which of the apps. */
  readonly app: number;
  readonly code: string;
  readonly at: number;
  /** Writes of one call have the same one. */
  readonly error: unknown;
}

/** Of these the errors page says that nothing was executed, and that the same call can succeed later. */
const againCodes: readonly string[] = [
  'REDIS_UNAVAILABLE',
  'REDIS_REFUSED',
  'DATABASE_UNAVAILABLE',
  'LOAD_TIMEOUT',
  'CONFLICT',
  'BACKLOG_FULL',
];
const againMs = 20;
const beatMs = 20;
/** Unanswered writes, of a machine that is too slow for the rate: more of them would only wait. */
const pendingMax = 2_000;

export class ActivityReplay {
  /** What was written to each row, in its order; the row as `tasks:<id>`. */
  readonly rows = new Map<string, ReplayEntry[]>();
  readonly failures: ReplayFailure[] = [];
  readonly #apps: readonly ReplayApp[];
  readonly #writes: Iterator<DemoWrite>;
  readonly #tails = new Map<string, Promise<void>>();
  readonly #there = new Set<string>();
  #accepted = 0;
  #pending = 0;
  #waiting: { readonly from: number; readonly done: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(apps: readonly ReplayApp[], commits: Iterable<Commit>) {
    this.#apps = apps;
    this.#writes = writesOf(commits);
  }

  start(perSecond: number): void {
    let lastAt = performance.now();
    let due = 0;
    this.#timer = setInterval(() => {
      const now = performance.now();
      due += ((now - lastAt) / 1_000) * perSecond;
      lastAt = now;
      for (; due >= 1; due--) {
        if (this.#pending >= pendingMax) continue;
        const { done, value } = this.#writes.next();
        if (done === true) return clearInterval(this.#timer);
        this.write(value);
      }
    }, beatMs);
  }

  /** Resolves once so many more writes are accepted. */
  accepted(count: number): Promise<void> {
    return new Promise((done) => this.#waiting.push({ from: this.#accepted + count, done }));
  }

  /** Issues no more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** Resolves once all that were issued are answered for good. */
  async answered(): Promise<void> {
    await Promise.all(this.#tails.values());
  }

  /** Behind the row's other writes. */
  write(write: DemoWrite): void {
    const row = rowOf(write);
    const before = this.#tails.get(row) ?? Promise.resolve();
    this.#pending += 1;
    const answered = before.then(() => this.#untilAnswered(row, write));
    this.#tails.set(
      row,
      answered.finally(() => {
        this.#pending -= 1;
      }),
    );
  }

  async #untilAnswered(row: string, demoWrite: DemoWrite): Promise<void> {
    const triedAt = Date.now();
    while (!(await this.#isAnswered(row, demoWrite, triedAt))) await sleep(againMs);
  }

  async #isAnswered(row: string, demoWrite: DemoWrite, triedAt: number): Promise<boolean> {
    const app = [...row].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % this.#apps.length;
    const write = this.#there.has(row) ? asPatch(demoWrite) : demoWrite;
    try {
      const receipt = await send(this.#apps[app] as ReplayApp, write);
      append(this.rows, row, { write, receipt, triedAt, answeredAt: Date.now() });
      this.#wasAccepted(row, write);
      return true;
    } catch (error) {
      const code = isForebayError(error) ? error.code : String(error);
      const at = Date.now();
      this.failures.push({ row, kind: write.kind, app, code, at, error });
      if (code === 'ROW_MISSING') return !this.#there.delete(row);
      if (code !== 'OUTCOME_UNKNOWN') return !againCodes.includes(code);
      append(this.rows, row, { write, triedAt, answeredAt: at });
      // A delta that is sent again could count twice.
      return 'delta' in write;
    }
  }

  /** Undefined: nothing of the row was accepted. */
  laneOf(row: string): string | undefined {
    return this.rows.get(row)?.find(({ receipt }) => receipt)?.receipt?.lane;
  }

  /** For each app and lane: how many calls were in doubt. */
  get callsInDoubt(): Map<string, number> {
    const errors = new Map<string, Set<unknown>>();
    for (const { row, app, code, error } of this.failures) {
      const key = `${app} ${this.laneOf(row)}`;
      if (code === 'OUTCOME_UNKNOWN') errors.set(key, (errors.get(key) ?? new Set()).add(error));
    }
    return new Map([...errors].map(([key, { size }]) => [key, size]));
  }

  #wasAccepted(row: string, write: ReplayWrite): void {
    if (write.kind === 'putTask') this.#there.add(row);
    if (write.kind === 'deleteTask') this.#there.delete(row);
    this.#accepted += 1;
    const isOver = ({ from }: { from: number }): boolean => from <= this.#accepted;
    for (const { done } of this.#waiting.filter(isOver)) done();
    this.#waiting = this.#waiting.filter((waiting) => !isOver(waiting));
  }
}

function* writesOf(commits: Iterable<Commit>): Generator<DemoWrite> {
  const maker = new WriteMaker();
  for (const commit of commits) yield* maker.writesOf(commit);
}

function asPatch(write: DemoWrite): ReplayWrite {
  if (write.kind !== 'putTask' || write.row.status !== 'IN_PROGRESS') return write;
  const { id, createdAt: _, ...fields } = write.row;
  return { kind: 'patchTask', id, fields };
}

export function rowOf(write: ReplayWrite): string {
  const store = { User: 'users', Project: 'projects', Task: 'tasks' }[
    /User|Project|Task/.exec(write.kind)?.[0] as 'User' | 'Project' | 'Task'
  ];
  return `${store}:${'row' in write ? write.row.id : write.id}`;
}

function send({ stores }: ReplayApp, write: ReplayWrite): Promise<Receipt> {
  return write.kind === 'patchTask' ? stores.tasks.patch(write.id, write.fields) : issue(write, stores);
}

function append<Item>(lists: Map<string, Item[]>, key: string, item: Item): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

/** How many of each, for people. */
export function counts(names: Iterable<string>): string {
  const found = new Map<string, number>();
  for (const name of names) found.set(name, (found.get(name) ?? 0) + 1);
  return JSON.stringify(Object.fromEntries(found));
}

/** A lane that took no write, though one was tried. */
export interface Outage {
  readonly lane: string;
  readonly ms: number;
  /** When it began, in ms since 1970. */
  readonly from: number;
}

/** The longest of each lane, longest first. */
export function longestOutages(entries: Iterable<ReplayEntry>): Outage[] {
  const ofLanes = new Map<string, ReplayEntry[]>();
  for (const entry of entries) {
    const lane = entry.receipt?.lane;
    if (lane !== undefined) append(ofLanes, lane, entry);
  }
  return [...ofLanes].map(([lane, ofLane]) => longestOutage(lane, ofLane)).sort((a, b) => b.ms - a.ms);
}

/** From the first try that came behind the last accepted write, or was under way then, to the next accepted one. */
function longestOutage(lane: string, accepted: readonly ReplayEntry[]): Outage {
  let longest: Outage = { lane, ms: 0, from: 0 };
  let triedAt = Number.POSITIVE_INFINITY;
  const latestFirst = accepted.toSorted((a, b) => b.answeredAt - a.answeredAt);
  for (const [i, entry] of latestFirst.entries()) {
    triedAt = Math.min(triedAt, entry.triedAt);
    const from = Math.max(latestFirst[i + 1]?.answeredAt ?? 0, triedAt);
    const ms = entry.answeredAt - from;
    if (ms > longest.ms) longest = { lane, ms, from };
  }
  return longest;
}
