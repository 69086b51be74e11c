/**
 * [FB-AGGREGATE] The lane of aggregates under any sequence of steps: what is pending of an aggregate is in one place, a batch has
 * all of it, what is refused is refused whole, and no delta is lost or counted twice.
 */
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Lane, Lanes } from '../../src/buffer/lane.js';
import type { SplitPart, Write, WriteReply } from '../../src/buffer/step-replies.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import { withTenants } from '../../src/client/writing/lane-queue.js';
import { fieldOf, letterKey, splitField } from '../../src/keys.js';
import { removeKeys } from '../support/environment.js';
import { orderStores } from '../support/orders.js';

const options = { partitions: 1, batchRecordsMax: 3, delayMs: 0, dirtyMax: 12 };
const ids = ['a', 'b', 'c'] as const;
type Id = (typeof ids)[number];

let redis: Redis;
let runs = 0;

beforeAll(() => {
  redis = new Redis(inject('redisUrl'));
});

afterAll(() => redis.quit());

type Step =
  | {
      readonly kind: 'write';
      readonly id: Id;
      readonly lines: readonly number[];
      readonly isTogether: boolean;
      /** Each line's looks, too. */
      readonly isCounted: boolean;
    }
  | { readonly kind: 'delete'; readonly id: Id; readonly line: number }
  /** `later`: what waits is due. `meet`: the next version is the time at which something is due. */
  | { readonly kind: 'seal' | 'ack' | 'later' | 'meet' }
  | {
      readonly kind: 'split';
      readonly fate: SplitPart['fate'];
      readonly waitMs: number;
      readonly which: number;
    }
  | { readonly kind: 'replay' | 'discard'; readonly id: Id };

const id = fc.constantFrom(...ids);
const line = fc.integer({ min: 0, max: 3 });
const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('write' as const),
      id,
      lines: fc.uniqueArray(line, { minLength: 1, maxLength: 3 }),
      isTogether: fc.boolean(),
      isCounted: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('delete' as const), id, line }),
    fc.record({
      kind: fc.constantFrom(
        'seal' as const,
        'seal' as const,
        'ack' as const,
        'later' as const,
        'meet' as const,
      ),
    }),
    fc.record({
      kind: fc.constant('split' as const),
      fate: fc.constantFrom('dead' as const, 'wait' as const, 'again' as const),
      waitMs: fc.constantFrom(0, 60_000),
      which: fc.nat(2),
    }),
    fc.record({ kind: fc.constantFrom('replay' as const, 'discard' as const), id }),
  ),
  { minLength: 4, maxLength: 40 },
);

/** What is tried again is refused, while a newer write of it waits for its tenant's turn. */
const refusedWhileLate = (fate: SplitPart['fate']): Step[] => [
  { kind: 'write', id: 'a', lines: [0], isTogether: false, isCounted: true },
  { kind: 'seal' },
  { kind: 'split', fate: 'wait', waitMs: 60_000, which: 0 },
  { kind: 'write', id: 'c', lines: [0], isTogether: false, isCounted: true },
  { kind: 'write', id: 'a', lines: [1, 0], isTogether: false, isCounted: true },
  { kind: 'later' },
  { kind: 'seal' },
  { kind: 'delete', id: 'a', line: 0 },
  { kind: 'split', fate, waitMs: 0, which: 0 },
];

/** What waits for its tenant's turn becomes dirty just when what was tried before is due. */
const dueWithALateOne: Step[] = [
  { kind: 'write', id: 'a', lines: [0], isTogether: false, isCounted: true },
  { kind: 'seal' },
  { kind: 'split', fate: 'wait', waitMs: 60_000, which: 0 },
  { kind: 'write', id: 'c', lines: [0], isTogether: false, isCounted: true },
  { kind: 'meet' },
  { kind: 'write', id: 'b', lines: [0], isTogether: false, isCounted: true },
];

it.each([
  { of: 'that belong to nobody', stores: orderStores(options) },
  { of: 'of tenants', stores: orderStores({ ...options, tenant: (id) => id }) },
  { of: 'of one tenant', stores: orderStores({ ...options, tenant: () => 'one' }) },
])(
  'holds for any sequence of writes, batches, refusals, waits and replays, of orders $of',
  async ({ stores }) => {
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const run = new Run(new Lanes(stores, `aggregate_model_${process.pid}_${++runs}`).all[0] as Lane);
        try {
          for (const step of sequence) await run.step(step);
          await run.drain();
        } finally {
          await removeKeys(redis, run.lane.keys.entryPrefix);
        }
      }),
      {
        numRuns: Number(process.env.AGGREGATE_RUNS ?? 150),
        examples: [
          ...(['dead', 'wait', 'again'] as const).map((fate): [Step[]] => [refusedWhileLate(fate)]),
          [dueWithALateOne],
        ],
      },
    );
  },
);

class Run {
  readonly lane: Lane;
  readonly #buffer: WriteBuffer;
  #batch: { readonly number: string; readonly fields: readonly string[] } | undefined;
  /** Of all deltas that were accepted, applied, or ended with a row, a letter, or by a person. */
  #accepted = 0;
  #applied = 0;
  #ended = 0;
  /** Of each row the versions of its writes that are not applied. */
  readonly #versions = new Map<string, number[]>();

  constructor(lane: Lane) {
    this.lane = lane;
    this.#buffer = new WriteBuffer(redis, lane.keys.meta);
  }

  async step(step: Step): Promise<void> {
    if (step.kind === 'write') await this.#write(step);
    else if (step.kind === 'delete') await this.#delete(step);
    else if (step.kind === 'seal') await this.#seal();
    else if (step.kind === 'ack') await this.#ack();
    else if (step.kind === 'later') await this.#later();
    else if (step.kind === 'meet') await this.#meet();
    else if (step.kind === 'split') await this.#split(step);
    else if ('id' in step) await this.#settle(step.kind, step.id);
    await this.#check();
  }

  async #write({ id, lines, isTogether, isCounted }: Extract<Step, { kind: 'write' }>): Promise<void> {
    const writes = lines.flatMap((line): Write[] => [
      { op: 'put', field: `orderLines:${id},${line}`, payload: `{"line":${line}}` },
      ...(isCounted
        ? [{ op: 'add' as const, field: `lineLooks:${id},${line}`, payload: `1|orderLines:${id},${line}` }]
        : []),
    ]);
    const head: Write = { op: 'together', field: (writes[0] as Write).field, payload: String(writes.length) };
    const before = await this.#pending();
    const { replies } = await this.#accept(isTogether ? [head, ...writes] : writes);
    const accepted = writes.filter((_, i) => 'version' in (replies[i + (isTogether ? 1 : 0)] as object));
    if (isTogether) expect([0, writes.length]).toContain(accepted.length);
    if (accepted.length === 0) expect(await this.#pending()).toEqual(before);
    this.#accepted += accepted.filter(({ op }) => op === 'add').length;
    this.#took(writes, isTogether ? replies.slice(1) : replies);
  }

  #took(writes: readonly Write[], replies: readonly WriteReply[]): void {
    for (const [i, { op, field }] of writes.entries()) {
      const reply = replies[i] as WriteReply;
      if (op === 'add' || op === 'forget' || !('version' in reply)) continue;
      this.#versions.set(field, [...(this.#versions.get(field) ?? []), Number(reply.version)]);
    }
  }

  async #delete({ id, line }: Extract<Step, { kind: 'delete' }>): Promise<void> {
    const counter = `lineLooks:${id},${line}`;
    const letter = await redis.hgetall(letterKey(this.lane.keys, `orders:${id}`));
    const ended =
      Number((await redis.hget(this.lane.keys.dirty, counter)) ?? 0) + Number(letter[counter] ?? 0);
    const writes: Write[] = [
      { op: 'delete', field: `orderLines:${id},${line}`, payload: '' },
      { op: 'forget', field: counter, payload: '' },
    ];
    const { replies } = await this.#accept(writes);
    if ('version' in (replies[0] as object)) this.#ended += ended;
    this.#took(writes, replies);
  }

  #accept(writes: readonly Write[]): ReturnType<WriteBuffer['write']> {
    return this.#buffer.write(this.lane, withTenants(this.lane.group, writes));
  }

  async #seal(): Promise<void> {
    const options = { recordsMax: 3, delayMs: 0, floor: 0n };
    const reply = await this.#buffer.seal(this.lane, options);
    if (reply.kind !== 'batch') return;
    const fields = await redis.hkeys(this.lane.keys.sealed);
    const isNew = this.#batch === undefined;
    this.#batch = { number: reply.batch.number, fields };
    if (!isNew) return;
    const sealed = new Set(fields.map(aggregateOf));
    const left = (await redis.hkeys(this.lane.keys.dirty)).filter((field) => sealed.has(aggregateOf(field)));
    expect(left).toEqual([]);
  }

  async #ack(): Promise<void> {
    if (this.#batch === undefined) return;
    const sealed = await redis.hgetall(this.lane.keys.sealed);
    this.#applied += sumOf(sealed);
    for (const [field, record] of Object.entries(sealed)) {
      const left = this.#versions.get(field)?.filter((version) => version > versionOf(record)) ?? [];
      this.#versions.set(field, left);
    }
    await this.#buffer.ack(this.lane, this.#batch.number);
    this.#batch = undefined;
  }

  async #later(): Promise<void> {
    const { retries } = this.lane.keys;
    for (const [member, at] of await scoresOf(retries)) await redis.zadd(retries, Number(at) - 1e6, member);
  }

  async #meet(): Promise<void> {
    const { retries, meta } = this.lane.keys;
    const [first] = (await scoresOf(retries)).values();
    const version = Number((await redis.hget(meta, 'version')) ?? 0);
    if (first !== undefined && Number(first) - 1 > version)
      await redis.hset(meta, 'version', `${Number(first) - 1}`);
  }

  /** All of one aggregate, as `BatchSplit` does. */
  async #split({ fate, waitMs, which }: Extract<Step, { kind: 'split' }>): Promise<void> {
    if (this.#batch === undefined) return;
    const { number, fields } = this.#batch;
    const found = [...new Set(fields.map(aggregateOf))];
    const one = found[which % found.length] as string;
    const own = fields
      .filter((field) => aggregateOf(field) === one)
      .sort((a) => (a.startsWith('orderLines') ? -1 : 1));
    const ended = await this.#endedBy(own);
    const parts = own.map((field): SplitPart => {
      const { store, idKey } = splitField(field);
      const row = store === 'lineLooks' ? fieldOf('orderLines', idKey) : '';
      return { field, fate, waitMs, letter: `orders:${one}`, row, error: '{}', anchor: `@orders:${one}` };
    });
    const reply = await this.#buffer.split(this.lane, number, parts);
    if (reply.kind !== 'split') return;
    this.#ended += ended;
    const sealed = await redis.hkeys(this.lane.keys.sealed);
    const rest = (await redis.hget(this.lane.keys.meta, 'sealed')) ?? '';
    this.#batch = reply.rest === 0 ? undefined : { number: rest, fields: sealed };
  }

  /** Deltas whose row is deleted meanwhile. */
  async #endedBy(fields: readonly string[]): Promise<number> {
    let ended = 0;
    for (const field of fields) {
      const { store, idKey } = splitField(field);
      if (store !== 'lineLooks') continue;
      const row = (await redis.hget(this.lane.keys.dirty, `orderLines:${idKey}`)) ?? '';
      if (/^[DR]/.test(row)) ended += Number(await redis.hget(this.lane.keys.sealed, field));
    }
    return ended;
  }

  async #settle(kind: 'replay' | 'discard', id: Id): Promise<void> {
    const letter = await this.#buffer.letters.get(this.lane, `orders:${id}`);
    if (letter === undefined) return;
    if (kind === 'discard') this.#ended += sumOf(letter.records);
    if (kind === 'discard') for (const field of Object.keys(letter.records)) this.#versions.delete(field);
    if (kind === 'discard') await this.#buffer.letters.discard(this.lane, letter);
    else await this.#buffer.letters.replay(this.lane, letter);
  }

  async drain(): Promise<void> {
    for (const id of ids) await this.#settle('replay', id);
    for (let looks = 0; looks < 200; looks++) {
      await this.step({ kind: 'later' });
      await this.step({ kind: 'seal' });
      const wasSealed = this.#batch !== undefined;
      await this.step({ kind: 'ack' });
      if (!wasSealed && (await this.#pending()).length === 0) break;
    }
    expect(await this.#pending()).toEqual([]);
    expect(this.#applied + this.#ended).toBe(this.#accepted);
    const { order, retries, waiting } = this.lane.keys;
    expect([await redis.zcard(order), await redis.zcard(retries), await redis.hlen(waiting)]).toEqual([
      0, 0, 0,
    ]);
  }

  async #pending(): Promise<string[]> {
    const { dirty, sealed } = this.lane.keys;
    return [...(await redis.hkeys(dirty)), ...(await redis.hkeys(sealed))].sort();
  }

  async #check(): Promise<void> {
    const { keys } = this.lane;
    const [order, retries] = [await scoresOf(keys.order), await scoresOf(keys.retries)];
    const dirty = await redis.hgetall(keys.dirty);
    for (const id of ids) {
      const anchor = `@orders:${id}`;
      const own = Object.keys(dirty).filter((field) => aggregateOf(field) === id);
      const letter = await redis.hgetall(letterKey(keys, `orders:${id}`));
      if (Object.keys(letter).length > 0) expect(own).toEqual([]);
      const place = order.get(anchor) ?? retries.get(anchor);
      expect(order.has(anchor) && retries.has(anchor)).toBe(false);
      for (const field of own) expect(order.get(field) ?? retries.get(field)).toBe(place);
    }
    for (const some of [order, retries]) {
      const places = [...some].flatMap(([member, place]) => (member.startsWith('@') ? [place] : []));
      expect(new Set(places).size).toBe(places.length);
    }
    const pending = sumOf(dirty) + sumOf(await redis.hgetall(keys.sealed)) + (await this.#deadSum());
    expect(pending + this.#applied + this.#ended).toBe(this.#accepted);
    await this.#checkSince(order);
  }

  /** What a receipt goes by: where a record waits, or is a dead letter, none of its writes is older than that says. */
  async #checkSince(order: ReadonlyMap<string, string>): Promise<void> {
    const { keys } = this.lane;
    const sealed = await redis.hgetall(keys.sealed);
    const waiting = await redis.hgetall(keys.waiting);
    for (const [field, versions] of this.#versions) {
      const letter = await redis.hgetall(letterKey(keys, `orders:${aggregateOf(field)}`));
      const dirty = versions.filter((version) => version > versionOf(sealed[field] ?? ''));
      const oldest = Math.min(...versions);
      if (field in letter)
        expect(Number(letter.since), `the letter's of ${field}`).toBeLessThanOrEqual(oldest);
      else if (field in waiting) {
        const since = Number(waiting[field]?.split(' ')[2]);
        expect(since, `what waits of ${field}`).toBeLessThanOrEqual(oldest);
      } else if (order.has(field)) {
        expect(Number(order.get(field)), `the place of ${field}`).toBeLessThanOrEqual(Math.min(...dirty));
      }
    }
  }

  async #deadSum(): Promise<number> {
    const letters = await this.#buffer.letters.list(this.lane, { offset: 0, count: 100 });
    return letters.reduce((sum, { records }) => sum + sumOf(records), 0);
  }
}

function aggregateOf(field: string): string {
  return splitField(field).idKey.split(',')[0] as string;
}

/** 0: there is none. */
function versionOf(record: string): number {
  return Number(/^[PDR](\d+)\|/.exec(record)?.[1] ?? 0);
}

function sumOf(records: Readonly<Record<string, string>>): number {
  return Object.entries(records).reduce(
    (sum, [field, record]) => sum + (field.startsWith('lineLooks:') ? Number(record) : 0),
    0,
  );
}

async function scoresOf(key: string): Promise<Map<string, string>> {
  const flat = await redis.zrange(key, '0', '-1', 'WITHSCORES');
  return new Map(
    flat.flatMap((member, i) => (i % 2 === 0 ? [[member, flat[i + 1] as string] as const] : [])),
  );
}
