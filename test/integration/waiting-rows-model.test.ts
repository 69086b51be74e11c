/**
 * Rows that wait, step by step: the worker's own code seals, applies and splits, and between any two of its
 * steps come writes, refusals of rows, and questions of receipts. Against what one table would have.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import type { Batch } from '../../src/buffer/batch.js';
import { type Lane, Lanes } from '../../src/buffer/lane.js';
import type { SealOptions } from '../../src/buffer/seal-reply.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import type { Receipt } from '../../src/client/receipts/receipt.js';
import { applyBatch } from '../../src/database/apply.js';
import { createPersister, type Persister } from '../../src/database/persister.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { isForebayError } from '../../src/errors.js';
import { BatchSplit } from '../../src/services/write-behind/batch-split.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const projects = record({
  model: Project,
  counters: ['touches'],
  partitions: 1,
  delayMs: 0,
  parentWaitMs: 3_600_000,
  deadLettersMax: 1_000,
});
const stores = defineStores({ projects, touches: counter({ of: projects, field: 'touches' }) });
const runs = Number(process.env.WAITING_ROWS_RUNS ?? 100);
const askMs = 30;

const ids = ['a', 'b'] as const;
type Id = (typeof ids)[number];

type Limits = Pick<SealOptions, 'recordsMax' | 'delayMs'>;
type Command =
  | { readonly do: 'put' | 'patch' | 'delete' | 'refuse' | 'allow' | 'ask'; readonly id: Id }
  | { readonly do: 'add'; readonly id: Id; readonly delta: number }
  | ({ readonly do: 'seal' | 'turn' } & Limits)
  | { readonly do: 'apply' | 'ack' | 'due' };

const id = fc.constantFrom(...ids);
const limits = { recordsMax: fc.constantFrom(1, 2, 100), delayMs: fc.constantFrom(0, 60_000) };
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    do: fc.constantFrom(
      'put' as const,
      'patch' as const,
      'delete' as const,
      'refuse' as const,
      'allow' as const,
    ),
    id,
  }),
  fc.record({ do: fc.constant('add' as const), id, delta: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ do: fc.constant('ask' as const), id }),
  fc.record({ do: fc.constantFrom('seal' as const, 'turn' as const), ...limits }),
  fc.record({ do: fc.constantFrom('apply' as const, 'ack' as const, 'due' as const) }),
  fc.record({ do: fc.constant('turn' as const), ...limits }),
);

/** A row is to be made anew, and waits with a delta. */
const isMadeAnew: readonly Command[] = [
  { do: 'put', id: 'a' },
  { do: 'turn', recordsMax: 100, delayMs: 0 },
  { do: 'refuse', id: 'a' },
  { do: 'delete', id: 'a' },
  { do: 'put', id: 'a' },
  { do: 'add', id: 'a', delta: 5 },
  { do: 'turn', recordsMax: 100, delayMs: 0 },
];

/** A row that is refused now, and a delta of it. */
const isCounted: readonly Command[] = [
  { do: 'put', id: 'a' },
  { do: 'add', id: 'a', delta: 1 },
  { do: 'turn', recordsMax: 100, delayMs: 0 },
  { do: 'refuse', id: 'a' },
  { do: 'add', id: 'a', delta: 2 },
];

/** What was lost once, or told too early. */
const found: [readonly Command[], readonly Command[]][] = [
  [
    isMadeAnew,
    [
      { do: 'due' },
      { do: 'seal', recordsMax: 100, delayMs: 60_000 },
      { do: 'put', id: 'a' },
      { do: 'apply' },
      { do: 'allow', id: 'a' },
      { do: 'turn', recordsMax: 100, delayMs: 60_000 },
    ],
  ],
  [
    [],
    [
      { do: 'add', id: 'b', delta: 1 },
      { do: 'turn', recordsMax: 1, delayMs: 0 },
      { do: 'put', id: 'b' },
      { do: 'ask', id: 'b' },
    ],
  ],
  [
    [],
    [
      { do: 'put', id: 'a' },
      { do: 'turn', recordsMax: 2, delayMs: 0 },
      { do: 'add', id: 'b', delta: 1 },
      { do: 'add', id: 'a', delta: 1 },
      { do: 'delete', id: 'a' },
      { do: 'turn', recordsMax: 1, delayMs: 0 },
      { do: 'ask', id: 'a' },
    ],
  ],
  // A delta that waited, and ends with its row while it is tried again.
  [
    [],
    [
      { do: 'refuse', id: 'b' },
      { do: 'put', id: 'b' },
      { do: 'add', id: 'b', delta: 1 },
      { do: 'turn', recordsMax: 100, delayMs: 0 },
      { do: 'due' },
      { do: 'seal', recordsMax: 100, delayMs: 0 },
      { do: 'delete', id: 'b' },
      { do: 'apply' },
    ],
  ],
  // A delta that is refused with its row, which is deleted meanwhile: it ends with that, and no sooner.
  [
    [],
    [
      ...isCounted,
      { do: 'seal', recordsMax: 100, delayMs: 0 },
      { do: 'delete', id: 'a' },
      { do: 'apply' },
      { do: 'ask', id: 'a' },
    ],
  ],
  // And one that waits with its row.
  [
    [],
    [
      ...isCounted,
      { do: 'put', id: 'a' },
      { do: 'turn', recordsMax: 100, delayMs: 0 },
      { do: 'delete', id: 'a' },
      { do: 'ask', id: 'a' },
    ],
  ],
];

interface Row {
  readonly name: string;
  readonly touches: number;
}

/** What one table would have; a delta without a row counts in the one that comes. */
interface State {
  readonly row: Row | null;
  readonly early: number;
}

class Table {
  readonly states: State[] = [{ row: null, early: 0 }];
  readonly receipts: Asked[] = [];

  /** A delta without a row is counted by the next write of the row. */
  countedAt({ at }: Asked): number {
    const later = this.states.findIndex(({ early }, i) => i >= at && early === 0);
    return later < 0 ? this.states.length : later;
  }

  accepted(receipt: Receipt, next: (before: State) => State): void {
    this.states.push(next(this.states.at(-1) as State));
    this.receipts.push({ receipt, at: this.states.length - 1 });
  }
}

let environment: Environment;
let app: Forebay<(typeof stores)['definitions']>;
let buffer: WriteBuffer;
let lane: Lane;
let persister: Persister;
let split: BatchSplit;

beforeAll(async () => {
  environment = await createEnvironment();
  const { prisma, config, redis } = environment;
  app = await environment.connect(stores);
  buffer = new WriteBuffer(redis, config.prefix);
  lane = new Lanes(stores, config.prefix).all[0] as Lane;
  persister = await createPersister(lane.group, prisma);
  split = new BatchSplit({
    buffer,
    database: prisma,
    persisterOf: () => persister,
    prefix: config.prefix,
    emit: () => undefined,
    breaker: { run: (work: () => Promise<unknown>) => work() } as never,
    deadLetters: { show: async () => undefined } as never,
  });
  await prisma.$executeRawUnsafe('CREATE TABLE refused (id text)');
  await prisma.$executeRawUnsafe(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT FROM refused WHERE left(NEW.id, 1) = refused.id) THEN
      RAISE EXCEPTION 'its parent is not there' USING ERRCODE = '23503';
    END IF; RETURN NEW; END $$`);
  await prisma.$executeRawUnsafe(
    'CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION refuse()',
  );
});

afterAll(() => environment.close());

describe('rows that wait, written again, deleted, made anew and counted meanwhile', () => {
  it('leave what one table would have, and no receipt says more than is true', async () => {
    let run = 0;
    const first = fc.constantFrom<readonly Command[]>([], isMadeAnew);
    const then = fc.array(command, { minLength: 5, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(first, then, (...parts) => new Run(String(run++)).of(parts.flat())),
      { numRuns: runs, examples: found },
    );
  });
});

/** One worker, whose every step is a command. */
class Run {
  readonly #number: string;
  readonly #tables = new Map<Id, Table>(ids.map((id) => [id, new Table()]));
  #writes = 0;
  #sealed: { readonly batch: Batch; isApplied: boolean } | undefined;

  constructor(number: string) {
    this.#number = number;
  }

  async of(commands: readonly Command[]): Promise<void> {
    for (const command of commands) {
      await this.#take(command);
      await expectPlaces();
    }
    await environment.prisma.$executeRawUnsafe('DELETE FROM refused');
    await this.#flush();
    for (const id of ids) {
      const { row } = this.#table(id).states.at(-1) as State;
      expect(await this.#row(id), `of ${id}`).toEqual(row);
      await this.#ask(id);
      if (row === null) await this.#write(id, 'delete');
    }
    await this.#flush();
  }

  async #take(command: Command): Promise<void> {
    switch (command.do) {
      case 'put':
      case 'patch':
      case 'delete':
        return this.#write(command.id, command.do);
      case 'add':
        return this.#write(command.id, 'add', command.delta);
      case 'refuse':
        return void (await environment.prisma.$executeRawUnsafe(
          'INSERT INTO refused VALUES ($1)',
          command.id,
        ));
      case 'allow':
        return void (await environment.prisma.$executeRawUnsafe(
          'DELETE FROM refused WHERE id = $1',
          command.id,
        ));
      case 'ask':
        return this.#ask(command.id);
      case 'seal':
        return void (await this.#seal(command));
      case 'turn':
        return void (await this.#turn(command));
      case 'apply':
        return this.#apply();
      case 'ack':
        return this.#ack();
      case 'due':
        return this.#makeDue();
    }
  }

  async #write(id: Id, what: 'put' | 'patch' | 'delete' | 'add', delta = 0): Promise<void> {
    const table = this.#table(id);
    const name = `${this.#writes++}`;
    const own = this.#own(id);
    if (what === 'put') {
      table.accepted(await app.stores.projects.put({ id: own, name }), ({ row, early }) => ({
        row: { name, touches: row ? row.touches : early },
        early: 0,
      }));
    } else if (what === 'patch') {
      const patched = app.stores.projects.patch(own, { name });
      if ((table.states.at(-1) as State).row === null) {
        return expect(patched).rejects.toMatchObject({ code: 'ROW_MISSING' });
      }
      table.accepted(await patched, ({ row, early }) => ({ row: row && { ...row, name }, early }));
    } else if (what === 'delete') {
      table.accepted(await app.stores.projects.delete(own), () => ({ row: null, early: 0 }));
    } else {
      table.accepted(await app.stores.touches.add(own, delta), ({ row, early }) =>
        row ? { row: { ...row, touches: row.touches + delta }, early } : { row, early: early + delta },
      );
    }
  }

  /** As after a crash too: what was sealed and not acknowledged is given again. */
  async #seal({ recordsMax, delayMs }: Limits): Promise<boolean> {
    const reply = await buffer.seal(lane, { recordsMax, delayMs, floor: 0n });
    this.#sealed = reply.kind === 'batch' ? { batch: reply.batch, isApplied: false } : undefined;
    return reply.kind !== 'empty';
  }

  async #apply(): Promise<void> {
    if (!this.#sealed) return;
    const { batch } = this.#sealed;
    const { prisma, config } = environment;
    try {
      const shared = { database: prisma, persister, prefix: config.prefix, emit: () => undefined };
      const { outcome } = await applyBatch(batch, shared);
      if (outcome === 'void') throw new Error('void');
      this.#sealed.isApplied = true;
    } catch {
      this.#sealed = undefined;
      await split.run(lane, batch);
    }
  }

  async #ack(): Promise<void> {
    if (!this.#sealed?.isApplied) return;
    await buffer.ack(lane, this.#sealed.batch.number);
    this.#sealed = undefined;
  }

  async #makeDue(): Promise<void> {
    const places = await environment.redis.zrange(lane.keys.retries, '0', '-1', 'WITHSCORES');
    for (let i = 0; i < places.length; i += 2) {
      await environment.redis.zadd(lane.keys.retries, Number(places[i + 1]) - 1_000_000, places[i] as string);
    }
  }

  async #flush(): Promise<void> {
    while (await this.#turn({ recordsMax: 100, delayMs: 0 }));
    expect(await environment.redis.hlen(lane.keys.waiting), '[FB-DRAINED] what waits').toBe(0);
  }

  /** False: the lane is empty. */
  async #turn(limits: Limits): Promise<boolean> {
    await this.#makeDue();
    const isEmpty = !(await this.#seal(limits));
    await this.#apply();
    await this.#ack();
    return !isEmpty;
  }

  /** [FB-WATERMARK] A receipt that resolves: what was written is as it was after that write, or after a later one. */
  async #ask(id: Id): Promise<void> {
    const table = this.#table(id);
    const { states, receipts } = table;
    const resolved = await Promise.all(receipts.map(isPersisted));
    const lastOf = (isAdd: boolean): number =>
      Math.max(
        0,
        ...receipts.flatMap((one, i) =>
          resolved[i] && isAdd === isOfAdd(one) ? [table.countedAt(one)] : [],
        ),
      );
    const found = await this.#row(id);
    const rows = states.slice(lastOf(false)).map(({ row }) => row?.name);
    expect(rows, `the row of ${id}: write ${lastOf(false)} has resolved`).toContain(found?.name);
    const sums = states.slice(lastOf(true)).map(({ row }) => row?.touches);
    // A row that is made anew may come before its deltas.
    if (sums.includes(undefined)) sums.push(0);
    expect(sums, `the deltas of ${id}: write ${lastOf(true)} has resolved`).toContain(found?.touches);
  }

  async #row(id: Id): Promise<Row | null> {
    const select = { name: true, touches: true };
    return environment.prisma.project.findUnique({ where: { id: this.#own(id) }, select });
  }

  #own(id: Id): string {
    return `${id}${this.#number}`;
  }

  #table(id: Id): Table {
    return this.#tables.get(id) as Table;
  }
}

/** Of each dirty field: its place in the order, and when it is tried next. */
async function expectPlaces(): Promise<void> {
  const { redis } = environment;
  const { keys } = lane;
  const dirty = await redis.hgetall(keys.dirty);
  const placeOf = async (key: string) => {
    const list = await redis.zrange(key, '0', '-1', 'WITHSCORES');
    return new Map(list.flatMap((field, i) => (i % 2 === 0 ? [[field, Number(list[i + 1])] as const] : [])));
  };
  const [order, retries] = [await placeOf(keys.order), await placeOf(keys.retries)];
  for (const [field, content] of Object.entries(dirty)) {
    expect(order.has(field) !== retries.has(field), `[FB-PLACE] one place of ${field}`).toBe(true);
    const deltas = field.replace('projects:', 'touches:');
    if (!content.startsWith('R') || !(deltas in dirty)) continue;
    const isFirst = order.has(field)
      ? (order.get(field) as number) < (order.get(deltas) ?? 0)
      : retries.get(field) === retries.get(deltas);
    expect(isFirst, `[FB-ROW-FIRST] of ${field}`).toBe(true);
  }
}

interface Asked {
  readonly receipt: Receipt;
  /** Its state in the table. */
  readonly at: number;
}

const isOfAdd = ({ receipt }: Asked): boolean => receipt.store === 'touches';

async function isPersisted({ receipt }: Asked): Promise<boolean> {
  try {
    await receipt.persisted({ timeoutMs: askMs });
    return true;
  } catch (error) {
    const isNotYet = isForebayError(error, 'PERSIST_TIMEOUT') || isForebayError(error, 'COUNTER_ROW_MISSING');
    if (!isNotYet) throw error;
    return false;
  }
}
