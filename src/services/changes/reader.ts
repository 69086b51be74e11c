/**
 * Follows Postgres's changes and drops what they have made wrong, or stands by for the reader that does. When
 * the feed is lost it begins anew.
 *
 * No gap: whoever begins to drop goes on where the last reader has told that it had come to, if its own feed
 * reaches back so far. Else changes may have been missed, and all entries of covered stores are dropped.
 */
import { onOtherMaster } from '../../connection/client.js';
import type { CoveredModel, PublicationReport } from '../../database/publication.js';
import { readSnapshot } from '../../database/snapshot.js';
import type { Transaction } from '../../definitions/record.js';
import { closedError, isForebayError, messageOf } from '../../errors.js';
import { pause } from '../../pause.js';
import { merged } from './backlog.js';
import { coverageOf } from './coverage.js';
import { CoveredTables } from './covered-tables.js';
import { Forgetting, type ForgettingDependencies } from './forgetting.js';
import { Lead, type Told } from './lead.js';
import { Session, type SessionOptions } from './session.js';
import { ValueForgetting } from './value-forgetting.js';

export interface ReaderDependencies extends ForgettingDependencies, Omit<SessionOptions, 'tables' | 'mark'> {
  readonly database: Transaction;
  readonly covered: readonly CoveredModel[];
  /** Whether Postgres is set up. @throws ForebayError CHANGES_UNAVAILABLE */
  check(): Promise<PublicationReport>;
  /** Aborted when the reader is to stop. */
  readonly signal: AbortSignal;
}

const holdEveryMs = 500;
/** For a transaction whose rows are not to be seen yet. */
const hiddenWaitMs = 2;
const retryMs = 500;
/** Longer than any turn takes where Redis and Postgres answer. */
const turnMaxMs = 60_000;
/** Tables that a migration makes anew are not published, and whoever publishes them again may be quick. */
const checkEveryMs = 10_000;

export class ChangeReader {
  readonly #dependencies: ReaderDependencies;
  readonly #lead: Lead;
  readonly #forgetting: Forgetting;
  readonly #values: ValueForgetting;
  readonly #coverage: string;
  #session: Session | undefined;
  #isDropping = false;
  /** How often Redis may have gone back in time; and how often that was mended. */
  #doubts = 0;
  #mended = 0;
  #nextHoldAt = 0;
  #nextCheckAt = 0;
  #turnedAt = 0;
  /** Of a feed that can't be opened: since when, and the last try. */
  #failing: { readonly since: number; readonly at: number; readonly error: unknown } | undefined;

  constructor(dependencies: ReaderDependencies) {
    const { redis, prefix, name, covered } = dependencies;
    this.#dependencies = dependencies;
    this.#lead = new Lead(redis, prefix, name);
    this.#forgetting = new Forgetting(dependencies);
    this.#values = new ValueForgetting(dependencies);
    this.#coverage = coverageOf(covered, dependencies.dependents);
    onOtherMaster(redis, () => this.#doubt());
  }

  /** Resolves when it drops, or stands by. @throws CHANGES_UNAVAILABLE, and what Postgres or Redis throw */
  async start(): Promise<void> {
    this.#session = await this.#open();
    await this.#turn(this.#session);
  }

  /** Follows until it is to stop; throws nothing. */
  async run(): Promise<void> {
    const { signal, emit } = this.#dependencies;
    while (!signal.aborted) {
      try {
        this.#session ??= await this.#openAgain();
        await this.#follow(this.#session);
      } catch (error) {
        if (!signal.aborted) emit({ type: 'changes.lost', retryMs, error });
      }
      await this.#leave();
      await pause(retryMs, signal);
    }
  }

  /** Rather than standing by, or beginning anew. */
  get isDropping(): boolean {
    return this.#isDropping;
  }

  /** Ends a wait for more. */
  wake(): void {
    this.#session?.backlog.wake();
  }

  /** What it should have done; undefined: nothing. A feed that has not begun yet waits for Postgres. */
  problem(): string | undefined {
    const now = performance.now();
    if (this.#session && now - this.#turnedAt > turnMaxMs)
      return `nothing was dropped for ${Math.round((now - this.#turnedAt) / 1_000)} s`;
    const failing = this.#failing;
    // A try that has no answer for so long waits for Postgres.
    if (!failing || now - failing.since <= turnMaxMs || now - failing.at > turnMaxMs) return undefined;
    return `the feed can't be opened: ${messageOf(failing.error)}`;
  }

  async #openAgain(): Promise<Session> {
    try {
      const session = await this.#open();
      this.#failing = undefined;
      this.#turnedAt = performance.now();
      return session;
    } catch (error) {
      const at = performance.now();
      this.#failing = { since: this.#failing?.since ?? at, at, error };
      throw error;
    }
  }

  async #open(): Promise<Session> {
    const { covered, signal, check } = this.#dependencies;
    const report = await check();
    const tables = new CoveredTables(covered, report);
    this.#nextCheckAt = Date.now() + checkEveryMs;
    this.#nextHoldAt = 0;
    if (signal.aborted) throw closedError();
    return Session.open({ ...this.#dependencies, tables, mark: report.mark }, signal);
  }

  async #follow(session: Session): Promise<void> {
    const { signal, emit } = this.#dependencies;
    while (!signal.aborted) {
      session.check();
      try {
        const waitMs = await this.#turn(session);
        if (waitMs > 0) await session.backlog.whenMore(waitMs);
      } catch (error) {
        if (signal.aborted) return;
        emit({ type: 'changes.not-dropped', retryMs, error });
        await pause(retryMs, signal);
      }
    }
  }

  /** What is to be done now; returns how long nothing is, unless more comes. */
  async #turn(session: Session): Promise<number> {
    if (Date.now() >= this.#nextCheckAt) await this.#checkAgain(session);
    if (Date.now() >= this.#nextHoldAt) await this.#hold(session);
    this.#turnedAt = performance.now();
    const isHidden = this.#isDropping && (await this.#drop(session));
    return isHidden ? hiddenWaitMs : Math.max(1, this.#nextHoldAt - Date.now());
  }

  async #checkAgain(session: Session): Promise<void> {
    this.#nextCheckAt = Date.now() + checkEveryMs;
    try {
      const { mark } = await this.#dependencies.check();
      if (mark !== session.mark) session.lose(new Error('The publication, or a table of it, was made anew.'));
    } catch (error) {
      if (!isForebayError(error, 'CHANGES_UNAVAILABLE')) throw error;
      session.lose(error);
    }
  }

  async #hold(session: Session): Promise<void> {
    const done = { history: this.#historyOf(session), lsn: session.backlog.doneUpTo };
    const hold = await this.#lead.hold(this.#isDropping ? done : undefined);
    this.#nextHoldAt = Date.now() + holdEveryMs;
    if (hold.kind === 'other') this.#standBy(session, hold.told);
    else if (hold.kind === 'taken') await this.#begin(session, hold.told);
  }

  /** A place in it says that this set-up has told all, and that all of it was dropped that is covered. */
  #historyOf({ start, mark }: Session): string {
    return `${start.history}/${mark}/${this.#coverage}`;
  }

  #standBy(session: Session, told: Told | undefined): void {
    this.#isDropping = false;
    if (told?.history === this.#historyOf(session)) session.backlog.removeUpTo(told.lsn);
  }

  async #begin(session: Session, told: Told | undefined): Promise<void> {
    const { backlog } = session;
    this.#isDropping = false;
    const reaches = told?.history === this.#historyOf(session) && told.lsn >= backlog.from;
    const doubts = this.#doubts;
    const isCold = doubts > this.#mended || !reaches;
    if (isCold) await this.#forgetEverything();
    else backlog.removeUpTo(told.lsn);
    this.#mended = doubts;
    if (this.#doubts > doubts) return;
    this.#isDropping = true;
    // What it takes over from is told as its own.
    this.#nextHoldAt = 0;
    this.#dependencies.emit({ type: 'changes.opened', isCold });
  }

  /** Values last: they are made of rows. */
  async #forgetEverything(): Promise<void> {
    const { covered, dependents } = this.#dependencies;
    await this.#forgetting.forgetEverything(covered.flatMap(({ stores }) => stores));
    for (const store of dependents.stores) await this.#values.forgetAll(store);
  }

  /** Whether there is more that can't be dropped yet, for a load would not see it. */
  async #drop({ backlog }: Session): Promise<boolean> {
    const { database, emit } = this.#dependencies;
    if (backlog.isEmpty) return false;
    const seen = backlog.seenBy(await readSnapshot(database));
    if (seen.length === 0) return true;
    const changed = merged(seen);
    await this.#forgetting.forget(changed);
    await this.#values.forget(changed.values);
    backlog.remove(seen);
    const { transactions, rows, committedAtMs } = changed;
    const lagMs = Math.max(0, Date.now() - committedAtMs);
    emit({ type: 'changes.dropped', transactions, rows: rows.size, lagMs });
    return !backlog.isEmpty;
  }

  /** A server that was away, or took another's place, may have entries again that were dropped. */
  #doubt(): void {
    this.#doubts += 1;
    this.#isDropping = false;
    this.#nextHoldAt = 0;
    this.wake();
  }

  async #leave(): Promise<void> {
    this.#session?.close();
    this.#session = undefined;
    this.#isDropping = false;
    try {
      await this.#lead.release();
    } catch (error) {
      // Its hold ends by itself.
      this.#dependencies.emit({ type: 'changes.not-dropped', retryMs, error });
    }
  }
}
