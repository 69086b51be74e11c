/** An app: writes, reads through leases, compares and sets, and asks its receipts. */

import { absentEntry, parseEntry, released } from '../src/buffer/entry.js';
import type { Write, WriteReply } from '../src/buffer/step-replies.js';
import type { WriteBuffer } from '../src/buffer/write-buffer.js';
import { counterValue, isOvertaken } from '../src/client/reading/counter-port.js';
import { Receipt } from '../src/client/receipts/receipt.js';
import { withTenants } from '../src/client/writing/lane-queue.js';
import type { LoadedCounters } from '../src/database/load.js';
import { currentActor } from './actor.js';
import { must } from './invariants.js';
import type { Random } from './random.js';
import { deskOf } from './receipts.js';
import { afterAdd, afterPut, nothing, type Row, type State, textsOf } from './row.js';
import { counterField, rowField } from './snapshot.js';
import type { Table } from './table.js';
import type { World } from './world.js';

const ttlMs = 3_600_000;
const looksMax = 5;
export const operations = ['put', 'patch', 'update', 'delete', 'add', 'read', 'count'] as const;
export type Operation = (typeof operations)[number];

export interface Task {
  readonly id: string;
  readonly table: Table;
  /** Of this task alone: the text that it writes, the token of its lease. */
  readonly name: string;
}

export class App {
  readonly #world: World;
  readonly #buffer: WriteBuffer;
  readonly #random: Random;
  /** Adds the lane's wake-up job. */
  readonly #wake: () => void;

  constructor(world: World, random: Random, wake: () => void) {
    this.#world = world;
    this.#buffer = world.buffer;
    this.#random = random;
    this.#wake = wake;
  }

  do(operation: Operation, task: Task): Promise<void> {
    switch (operation) {
      case 'put':
        return this.#put(task);
      case 'patch':
        return this.#patch(task);
      case 'update':
        return this.#update(task);
      case 'delete':
        return this.#delete(task);
      case 'add':
        return this.#add(task);
      case 'read':
        return this.#read(task);
      case 'count':
        return this.#count(task);
    }
  }

  async #put({ id, table, name }: Task): Promise<void> {
    const texts = { name, note: name };
    const write = { op: 'put', field: rowField(id), payload: JSON.stringify(texts) } as const;
    await this.#write(id, [write], (receipt) =>
      table.accepted(receipt, afterPut(table.last, texts), { isAdd: false, text: name }),
    );
  }

  async #patch({ id, table, name }: Task): Promise<void> {
    const member = this.#random.of(['name', 'note'] as const);
    const payload = `;+${member}\n,"${member}":"${name}"`;
    await this.#write(id, [{ op: 'patch', field: rowField(id), payload }], (receipt) =>
      table.accepted(receipt, changed(table.last, { [member]: name }), { isAdd: false, text: name }),
    );
  }

  async #update({ id, table, name }: Task): Promise<void> {
    const field = rowField(id);
    const entry = parseEntry(await this.#world.client.get(this.#world.laneOf(id).keys.entryPrefix + field));
    if (entry.kind !== 'row') return;
    const seen = JSON.parse(entry.json) as Row;
    const payload = `${entry.version}|;+name${JSON.stringify({ ...seen, name })}`;
    await this.#write(id, [{ op: 'put-if', field, payload }], (receipt) => {
      const [was, is] = [textsOf(seen), textsOf(table.last.row)];
      must(!isJudged(this.#world, table) || was === is, 'compare-and-set', `${id} was ${was}, and is ${is}`);
      table.accepted(receipt, changed(table.last, { name }), { isAdd: false, text: name });
    });
  }

  async #add({ id, table }: Task): Promise<void> {
    if (!table.canAdd) return;
    const delta = table.nextDelta();
    const payload = `${delta}|${rowField(id)}`;
    await this.#write(id, [{ op: 'add', field: counterField(id), payload }], (receipt) =>
      table.accepted(receipt, afterAdd(table.last, delta), { isAdd: true, delta }),
    );
  }

  async #delete({ id, table }: Task): Promise<void> {
    const writes: Write[] = [
      { op: 'delete', field: rowField(id), payload: '' },
      { op: 'forget', field: counterField(id), payload: '' },
    ];
    await this.#write(id, writes, (receipt) => table.accepted(receipt, nothing, { isAdd: false }));
  }

  async #write(id: string, writes: Write[], accepted: (receipt: Receipt) => void): Promise<void> {
    const lane = this.#world.laneOf(id);
    const { wake, generation, replies } = await this.#buffer.write(lane, withTenants(lane.group, writes));
    const reply = replies[0] as WriteReply;
    if ('version' in reply) {
      const at = { version: BigInt(reply.version), generation };
      accepted(new Receipt(deskOf(this.#world), lane, writes[0]?.field as string, at));
    }
    if (!wake) return;
    await currentActor()?.gate('job');
    this.#wake();
  }

  /** A claim, a load and a fill, each a step. */
  async #read({ id, table, name: token }: Task): Promise<void> {
    const from = table.at;
    const lane = this.#world.laneOf(id);
    const field = rowField(id);
    const [claim] = await this.#buffer.claim(lane, [field], { token, leaseMs: ttlMs, ttlMs });
    if (claim?.kind !== 'lease') return;
    await currentActor()?.gate('load');
    const row = this.#world.postgres.state.rows.get(id);
    expectRead(this.#world, table, from, (state) => textsOf(state.row) === textsOf(row ?? null));
    const content = row ? `P|${JSON.stringify({ name: row.name, note: row.note })}` : absentEntry;
    await this.#buffer.fill(lane, token, [{ field, content, ttlMs }]);
  }

  /** As `CounterPort` reads: what is pending, then the row with the ledger, again while a batch came between. */
  async #count({ id, table, name: token }: Task): Promise<void> {
    const from = table.at;
    const { counterStore: store } = this.#world;
    const [lane, field] = [this.#world.laneOf(id), counterField(id)];
    for (let looks = 1; looks <= looksMax; looks++) {
      const options = { token, leaseMs: ttlMs };
      const look = await this.#buffer.claimCounters(lane, [field], [rowField(id)], options);
      const claim = look.counters[0];
      if (claim?.kind !== 'lease') return;
      await currentActor()?.gate('load');
      const loaded = this.#load(id);
      if (isOvertaken(look, loaded)) continue;
      const value = counterValue(store, look, claim, loaded, id);
      expectRead(this.#world, table, from, ({ row }) => value === row?.touches);
      const content = value === undefined ? released : String(value);
      await this.#buffer.fill(lane, token, [{ field, content, ttlMs }]);
      return;
    }
  }

  #load(id: string): LoadedCounters {
    const ledger = this.#world.ledgerOf(this.#world.laneOf(id));
    const row = this.#world.postgres.state.rows.get(id);
    // Of a void batch nothing is in the rows: see read-counters.sql.
    const batch = ledger && ledger.batch - (ledger.isVoid ? 1n : 0n);
    const voids = this.#world.voidsOf(this.#world.laneOf(id));
    return { batch, voids, values: new Map(row ? [[id, row.touches]] : []) };
  }
}

/** Where there is none, Redis has lost its deletion. */
function changed({ row, early }: State, texts: Partial<Row>): State {
  return { row: { name: '', note: '', touches: 0n, ...row, ...texts }, early };
}

/** Whether what is there is what one table would have. */
function isJudged(world: World, table: Table): boolean {
  return world.isWhole && table.isJudged;
}

/** A read gives what was true at some time since it began. */
function expectRead(world: World, table: Table, from: number, isIt: (state: State) => boolean): void {
  if (!isJudged(world, table)) return;
  must(
    table.states.slice(from).some(isIt),
    'FC-FRESH',
    'a read gives what was true at no time since it began',
  );
}
