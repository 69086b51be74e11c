/**
 * The dead letters as an app holds them: what the database refused, to be looked at, replayed or discarded.
 */

import type { AppBuffer } from '../buffer/app-buffer.js';
import type { LetterLane } from '../buffer/lane.js';
import type { LaneRoutes } from '../buffer/lane-follower.js';
import type { DeadLetter as LaneLetter, LetterName } from '../buffer/step-replies.js';
import type { Breaker } from '../connection/breaker.js';
import { toReadError, toWriteError } from '../connection/redis.js';
import { ForebayError } from '../errors.js';
import type { Emit } from '../events.js';
import { checkObject, notGiven, quoted } from '../given.js';
import { splitField } from '../keys.js';
import type { WakeUps } from '../queues/wake-ups.js';

/** A record that the database refuses. */
export interface DeadLetter {
  /** Its store; of an aggregate that of the row that the others belong to. */
  readonly store: string;
  /** As text; parts of a composite id are joined by commas. */
  readonly id: string;
  /** Its lane, `store/number`. */
  readonly lane: string;
  /** When the database refused it. */
  readonly refusedAt: Date;
  /** The database's: its SQLSTATE, '' when a persist of the app's own threw; and what it says. */
  readonly error: { readonly state: string; readonly message: string };
  /**
   * By field (`store:id`), a put's row as JSON, a delete, or a counter's delta: those of the row's counters
   * are kept with it, and all of an aggregate together.
   */
  readonly records: Readonly<Record<string, string>>;
  /** Tells it from a later one of the same record. */
  readonly name: LetterName;
}

/** What a letter is found by. */
export type LetterPlace = Pick<DeadLetter, 'lane' | 'name'>;

/** Which dead letters are meant. */
export interface DeadLettersOptions {
  /** Only those that have a record or a delta of this store. */
  readonly store?: string;
}

export interface LetterLanes {
  readonly all: readonly LetterLane[];
  named(name: string): LetterLane | undefined;
  ofStore(name: string): readonly LetterLane[];
}

interface ShownLetter {
  readonly lane: string;
  readonly field: string;
  readonly at: string;
}

export interface DeadLettersDependencies {
  readonly lanes: LetterLanes;
  /** Has the lanes be those that Redis has; undefined: they were read just now. */
  readonly routes?: Pick<LaneRoutes, 'refresh'>;
  readonly buffer: AppBuffer;
  /** Of calls to the buffer. */
  readonly breaker: Pick<Breaker, 'run'>;
  /** What shows them; undefined: workers alone see to that. */
  readonly queue: { hide(letter: ShownLetter): Promise<void> } | undefined;
  readonly wakeUps: WakeUps;
  readonly emit: Emit;
}

const pageSize = 100;

/** What the database refused: `app.deadLetters`. */
export class DeadLetters {
  readonly #dependencies: DeadLettersDependencies;

  /** @internal */
  constructor(dependencies: DeadLettersDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * All of them, lane by lane, oldest first; read page by page. @throws ForebayError UNKNOWN_STORE,
   * REDIS_UNAVAILABLE, REDIS_REFUSED, CLOSED
   */
  async *list(options: DeadLettersOptions = {}): AsyncGenerator<DeadLetter> {
    const { routes } = this.#dependencies;
    if (routes) await this.#call(() => routes.refresh(), toReadError);
    for (const lane of this.#lanesOf(options)) {
      for (let offset = 0; ; offset += pageSize) {
        const page = { offset, count: pageSize };
        const letters = await this.#call((buffer) => buffer.letters.list(lane, page), toReadError);
        for (const letter of letters.map(toDeadLetter)) if (isOf(options, letter)) yield letter;
        if (letters.length < pageSize) break;
      }
    }
  }

  /**
   * Accepts its records again, as if written now. False: it is gone: replayed, superseded by a newer write,
   * or discarded.
   * @throws ForebayError UNKNOWN_STORE, REDIS_UNAVAILABLE, REDIS_REFUSED, OUTCOME_UNKNOWN (it may be
   * replayed, and can be again), CLOSED
   */
  async replay(letter: LetterPlace): Promise<boolean> {
    checkPlace(letter);
    const { wakeUps, emit } = this.#dependencies;
    const lane = this.#laneOf(letter);
    const outcome = await this.#call((buffer) => buffer.letters.replay(lane, letter.name), toWriteError);
    if (outcome === 'wake') {
      // The sweep finds a lane whose wake-up job could not be added.
      await wakeUps
        .wake(lane.name, lane.group.minDelayMs)
        .catch((error: unknown) => emit({ type: 'wake.failed', lane: lane.name, error }));
    }
    await this.#hide(letter);
    return outcome !== 'gone';
  }

  /** Drops it for good. False: it is gone already. @throws as `replay` */
  async discard(letter: LetterPlace): Promise<boolean> {
    checkPlace(letter);
    const lane = this.#laneOf(letter);
    const isDiscarded = await this.#call((buffer) => buffer.letters.discard(lane, letter.name), toWriteError);
    await this.#hide(letter);
    return isDiscarded;
  }

  /** Replays all of them; returns how many. */
  async replayAll(options: DeadLettersOptions = {}): Promise<number> {
    return this.#each(options, (letter) => this.replay(letter));
  }

  /** Drops all of them for good; returns how many. */
  async discardAll(options: DeadLettersOptions = {}): Promise<number> {
    return this.#each(options, (letter) => this.discard(letter));
  }

  async #call<T>(
    call: (buffer: AppBuffer) => Promise<T>,
    toError: (error: unknown) => ForebayError,
  ): Promise<T> {
    const { breaker, buffer } = this.#dependencies;
    try {
      return await breaker.run(() => call(buffer));
    } catch (error) {
      throw toError(error);
    }
  }

  /** Those that there are when it begins: one that is replayed and refused again is another. */
  async #each(options: DeadLettersOptions, act: (letter: LetterPlace) => Promise<boolean>): Promise<number> {
    const letters: LetterPlace[] = [];
    for await (const { lane, name } of this.list(options)) letters.push({ lane, name });
    let count = 0;
    for (const letter of letters) if (await act(letter)) count += 1;
    return count;
  }

  /** Workers remove its job too, a while later. */
  async #hide({ lane, name }: LetterPlace): Promise<void> {
    const { queue, emit } = this.#dependencies;
    await queue
      ?.hide({ lane, ...name })
      .catch((error: unknown) => emit({ type: 'dead-letter.not-hidden', lane, field: name.field, error }));
  }

  #laneOf({ lane }: LetterPlace): LetterLane {
    const found = this.#dependencies.lanes.named(lane);
    if (found === undefined)
      throw new ForebayError(
        'UNKNOWN_STORE',
        `There is no lane ${typeof lane === 'string' ? lane : quoted(lane)}.`,
      );
    return found;
  }

  #lanesOf(options: DeadLettersOptions): readonly LetterLane[] {
    checkObject('Which dead letters are meant', options);
    const { store } = options;
    const { lanes } = this.#dependencies;
    if (store === undefined) return lanes.all;
    const found = lanes.ofStore(store);
    if (found.length === 0) throw new ForebayError('UNKNOWN_STORE', `There is no store ${quoted(store)}.`);
    return found;
  }
}

/** @throws ForebayError INVALID_VALUE */
function checkPlace(letter: LetterPlace): void {
  const { field, at } = letter?.name ?? {};
  if (typeof field !== 'string' || typeof at !== 'string')
    throw notGiven('A dead letter', 'one that `list` gave', letter);
}

function toDeadLetter({ lane, field, at, error, records }: LaneLetter): DeadLetter {
  const { store, idKey } = splitField(field);
  return {
    store,
    id: idKey,
    lane,
    refusedAt: new Date(Number(at) / 1_000),
    error,
    records,
    name: { field, at },
  };
}

function isOf({ store }: DeadLettersOptions, letter: DeadLetter): boolean {
  if (store === undefined || letter.store === store) return true;
  return Object.keys(letter.records).some((field) => splitField(field).store === store);
}
