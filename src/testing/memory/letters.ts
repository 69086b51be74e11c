/** Dead letters of a test's app: deltas of rows that do not exist. */
import type { AppLetters } from '../../buffer/app-buffer.js';
import type { LetterLane } from '../../buffer/lane.js';
import type { DeadLetter, LetterName } from '../../buffer/step-replies.js';
import { rowMissing } from '../../database/database.js';
import type { TestClock } from '../clock.js';
import type { LaneMemory, MissingRowLetter } from './lane-memory.js';

export class MemoryLetters implements AppLetters {
  readonly #open: (lane: LetterLane) => LaneMemory;
  readonly #clock: TestClock;

  constructor(open: (lane: LetterLane) => LaneMemory, clock: TestClock) {
    this.#open = open;
    this.#clock = clock;
  }

  async get(lane: LetterLane, field: string): Promise<DeadLetter | undefined> {
    const letter = this.#open(lane).letters.get(field);
    return letter && toDeadLetter(lane, field, letter);
  }

  async list(lane: LetterLane, { offset, count }: { offset: number; count: number }): Promise<DeadLetter[]> {
    const letters = [...this.#open(lane).letters].slice(offset, offset + count);
    return letters.map(([field, letter]) => toDeadLetter(lane, field, letter));
  }

  async replay(lane: LetterLane, name: LetterName): Promise<'gone' | 'replayed' | 'wake'> {
    const memory = this.#open(lane);
    const letter = take(memory, name);
    if (letter === undefined) return 'gone';
    memory.nextVersion(this.#clock.now());
    for (const [field, delta] of letter.deltas) memory.add(field, delta, letter.since);
    return 'wake';
  }

  async discard(lane: LetterLane, name: LetterName): Promise<boolean> {
    return take(this.#open(lane), name) !== undefined;
  }
}

function take({ letters }: LaneMemory, { field, at }: LetterName): MissingRowLetter | undefined {
  const letter = letters.get(field);
  if (letter?.at !== at) return undefined;
  letters.delete(field);
  return letter;
}

function toDeadLetter(
  { name }: LetterLane,
  field: string,
  { at, since, deltas }: MissingRowLetter,
): DeadLetter {
  const records = Object.fromEntries([...deltas].map(([counter, delta]) => [counter, String(delta)]));
  const error = { state: rowMissing, message: 'the row of the counter does not exist' };
  return { lane: name, field, at, since: String(since), records, error };
}
