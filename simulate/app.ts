/** An app: writes, reads through leases, and asks its receipts. */

import type { AcceptedAt } from '../src/buffer/lane-state.js';
import type { WriteReply } from '../src/buffer/step-replies.js';
import { fateOf, isInLedger } from '../src/client/receipts/fate.js';
import { Receipt, type ReceiptDesk } from '../src/client/receipts/receipt.js';
import { readLedgers } from '../src/database/ledger.js';
import { isForebayError } from '../src/errors.js';
import type { Random } from './random.js';
import { type Asked, afterAdd, afterPut, type Table } from './table.js';
import { type Place, prefix, type World } from './world.js';

const ttlMs = 3_600_000;

export class App {
  readonly #world: World;
  readonly #place: Place;
  readonly #desk: ReceiptDesk;

  constructor(world: World, place: Place) {
    this.#world = world;
    this.#place = place;
    const { looking: buffer } = world;
    const watch = { persisted: this.#persisted.bind(this), fateNow: this.#fateNow.bind(this) };
    this.#desk = { buffer, emit: () => undefined, watch: watch as never };
  }

  /** Returns whether the lane needs a wake-up job. */
  async write(tables: ReadonlyMap<string, Table>, random: Random, name: string): Promise<boolean> {
    const id = random.of([...tables.keys()]);
    const table = tables.get(id) as Table;
    const kind = random.below(6);
    if (kind === 0) return this.#delete(id, table);
    return kind <= 2 && table.adds < 30 ? this.#add(id, table) : this.#put(id, table, name);
  }

  async #put(id: string, table: Table, name: string): Promise<boolean> {
    const field = `projects:${id}`;
    const payload = JSON.stringify({ name });
    const { wake, receipt } = await this.#send([{ op: 'put', field, payload }]);
    if (receipt) table.accepted(receipt, afterPut(table.last, name), { isAdd: false, name });
    return wake;
  }

  async #add(id: string, table: Table): Promise<boolean> {
    const delta = table.nextDelta();
    const payload = `${delta}|projects:${id}`;
    const { wake, receipt } = await this.#send([{ op: 'add', field: `touches:${id}`, payload }]);
    if (receipt) table.accepted(receipt, afterAdd(table.last, delta), { isAdd: true, delta });
    return wake;
  }

  async #delete(id: string, table: Table): Promise<boolean> {
    const { wake, receipt } = await this.#send([
      { op: 'delete', field: `projects:${id}`, payload: '' },
      { op: 'forget', field: `touches:${id}`, payload: '' },
    ]);
    if (receipt) table.accepted(receipt, { row: null, early: 0n }, { isAdd: false });
    return wake;
  }

  async #send(
    writes: Parameters<Place['buffer']['write']>[1],
  ): Promise<{ wake: boolean; receipt?: Receipt }> {
    const { lane } = this.#world;
    const { wake, generation, replies } = await this.#place.buffer.write(lane, writes);
    const reply = replies[0] as WriteReply;
    if (!('version' in reply)) return { wake };
    const at = { version: BigInt(reply.version), generation };
    return { wake, receipt: new Receipt(this.#desk, lane, writes[0]?.field as string, at) };
  }

  /** A read of a missed entry: a claim, a load and a fill, each a step. */
  async read(id: string, token: string): Promise<void> {
    const { lane, postgres } = this.#world;
    const { buffer, slot } = this.#place;
    const field = `projects:${id}`;
    const [claim] = await buffer.claim(lane, [field], { token, leaseMs: ttlMs, ttlMs });
    if (claim?.kind !== 'lease') return;
    await slot.actor.gate('load');
    const row = postgres.state.rows.get(id);
    const content = row ? `P|${JSON.stringify({ name: row.name })}` : 'D|';
    await buffer.fill(lane, token, [{ field, content, ttlMs }]);
  }

  async #persisted(lane: World['lane'], at: AcceptedAt): Promise<string> {
    const fate = await this.#fateNow(lane, at);
    if (fate === 'pending') return 'late';
    if (fate !== 'unknown') return fate;
    const ledgers = await readLedgers(
      this.#world.postgres.connection(async () => undefined),
      prefix,
      [lane],
    );
    if (isInLedger({ ...at, isFlush: false }, ledgers.get(lane))) return 'persisted';
    const later = await this.#fateNow(lane, at);
    return later === 'unknown' ? 'lost' : later === 'pending' ? 'late' : later;
  }

  async #fateNow(lane: World['lane'], at: AcceptedAt) {
    return fateOf({ ...at, isFlush: false }, await this.#world.looking.inspect(lane));
  }
}

export async function fateOfReceipt({ receipt }: Asked): Promise<'persisted' | 'lost' | 'pending'> {
  try {
    await receipt.persisted({ timeoutMs: 0 });
    return 'persisted';
  } catch (error) {
    if (isForebayError(error, 'WRITE_LOST')) return 'lost';
    if (isForebayError(error, 'PERSIST_TIMEOUT') || isForebayError(error, 'COUNTER_ROW_MISSING'))
      return 'pending';
    throw error;
  }
}
