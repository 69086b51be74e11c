/** A client: a session that makes one call after the other, drawn by chance. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Receipt } from '../src/client/receipts/receipt.js';
import type { Durability } from '../src/definitions/record.js';
import type { Calls } from './calls.js';
import { counterIds, counterKey, newKey, rowKey } from './keys.js';
import type { Work } from './messages.js';
import { Random } from './random.js';

interface ClientParts {
  readonly name: string;
  readonly nth: number;
  readonly work: Work;
  readonly calls: Calls;
}

const pauseMaxMs = 24;
const deltaMax = 100_000;
/** Of the writes whose receipts are waited for. */
const settledShare = 0.3;

type Act = 'put' | 'new' | 'delete' | 'update' | 'add' | 'get' | 'count' | 'evict' | 'row';

export class Client {
  readonly #parts: ClientParts;
  readonly #random: Random;
  #isResting = false;
  #count = 0;

  constructor(parts: ClientParts) {
    this.#parts = parts;
    this.#random = new Random(parts.work.seed * 31 + hash(`${parts.name}/${parts.nth}`));
  }

  rest(): void {
    this.#isResting = true;
  }

  async work(): Promise<void> {
    await this.#makeCounters();
    while (!this.#isResting) {
      await this.#call();
      await sleep(this.#random.integer(0, pauseMaxMs));
    }
  }

  /** Any client may be the first: a row that is there stays, with what it has counted. */
  async #makeCounters(): Promise<void> {
    const { nth, work, calls } = this.#parts;
    const ids = counterIds(work.round).filter((_, at) => at % work.clients === nth);
    for (const id of ids) await calls.put(nth, `versioned:${id}`, this.#token(), 'memory');
  }

  async #call(): Promise<void> {
    const { nth, work, calls } = this.#parts;
    const { round, isLossy } = work;
    const row = rowKey(this.#random, round, isLossy);
    const counter = counterKey(this.#random, round);
    const acts: Readonly<Record<Act, () => Promise<unknown>>> = {
      put: () => this.#settled(row, calls.put(nth, row, this.#token(), this.#durability())),
      new: () => this.#putNew(),
      delete: () => this.#settled(row, calls.delete(nth, row, this.#durability())),
      update: () => this.#settled(row, calls.update(nth, row, this.#token())),
      add: () =>
        this.#settled(
          counter,
          calls.add(nth, counter, this.#random.integer(1, deltaMax), this.#durability()),
        ),
      get: () => calls.read(nth, row),
      count: () => calls.read(nth, counter),
      evict: () => calls.evict(row),
      row: () => calls.row(nth, this.#random.of([row, counter])),
    };
    await acts[this.#random.weighted(isLossy ? lossyActs : plainActs)]();
  }

  async #putNew(): Promise<void> {
    const token = this.#token();
    const key = newKey(this.#random, this.#parts.work.round, token);
    await this.#settled(key, this.#parts.calls.put(this.#parts.nth, key, token, this.#durability()));
  }

  async #settled(key: string, write: Promise<Receipt | undefined>): Promise<void> {
    const receipt = await write;
    if (receipt && this.#random.share() < settledShare)
      this.#parts.calls.settle(this.#parts.nth, key, receipt);
  }

  #durability(): Durability {
    return this.#random.weighted(this.#parts.work.durabilities);
  }

  #token(): string {
    return `${this.#parts.name}.${this.#parts.nth}.${++this.#count}`;
  }
}

const plainActs: readonly (readonly [Act, number])[] = [
  ['put', 14],
  ['new', 10],
  ['delete', 6],
  ['update', 8],
  ['add', 14],
  ['get', 26],
  ['count', 14],
  ['evict', 4],
  ['row', 4],
];

/** A row that is deleted has no version column, and deltas may count twice: nothing is promised of either. */
const lossyActs: readonly (readonly [Act, number])[] = [
  ['put', 14],
  ['new', 40],
  ['update', 6],
  ['get', 26],
  ['evict', 4],
  ['row', 4],
];

function hash(text: string): number {
  return [...text].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 7);
}
