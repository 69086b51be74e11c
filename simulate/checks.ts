/** Looks at the state itself after each step: all that Redis has of the lanes, and all that Postgres has. */
import type { Lane } from '../src/buffer/lane.js';
import { ledgerLane } from '../src/keys.js';
import { expectAnswer } from './answers.js';
import {
  expectCompared,
  expectEntries,
  expectLane,
  expectOnce,
  expectRowFirst,
  isPending,
  must,
} from './invariants.js';
import { Numbers } from './numbers.js';
import type { Random } from './random.js';
import { expectReceipts } from './receipts.js';
import { type Snapshot, takeSnapshot } from './snapshot.js';
import type { Table } from './table.js';
import { prefix, type World } from './world.js';

/** Some receipts are asked after some steps: those of all writes after each would take most of the time. */
const askedOnceIn = 3;
const askedAtOnce = 3;

export class Checks {
  readonly #world: World;
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #random: Random;
  readonly #numbers = new Map<Lane, Numbers>();
  /** Somebody has crashed who had promised to look at a lane: the sweep makes up for it. */
  mayBeQuiet = false;

  constructor(world: World, tables: ReadonlyMap<string, Table>, random: Random) {
    this.#world = world;
    this.#tables = tables;
    this.#random = random;
    for (const lane of world.lanes.all) this.#numbers.set(lane, new Numbers());
  }

  wentBack(): void {
    this.mayBeQuiet = true;
    for (const numbers of this.#numbers.values()) numbers.wentBack();
  }

  /** @param isOn whether a job, a worker or an app will look at the lane */
  async look(isOn: (lane: Lane) => boolean): Promise<void> {
    const { lanes, answered } = this.#world;
    this.#world.answered = [];
    const looks = await Promise.all(lanes.all.map((lane) => this.#snapshot(lane)));
    const byMeta = new Map(lanes.all.map((lane, i) => [lane.keys.meta, looks[i] as Snapshot]));
    const found = { lanes: byMeta, stateOf: this.#stateOf.bind(this) };
    for (const one of answered) expectAnswer(one, found);
    for (const [i, lane] of lanes.all.entries()) {
      const look = looks[i] as Snapshot;
      const isAwake = this.mayBeQuiet || !isPending(look) || isOn(lane);
      must(isAwake, 'FB-WAKE', `${lane.name} holds records, and has neither a job nor a worker`);
      this.#expect(lane, look);
    }
    if (this.#random.oneIn(askedOnceIn)) await this.#ask();
  }

  #stateOf(meta: string, number: string): 'open' | 'applied' | 'void' {
    const lane = this.#world.lanes.all.find(({ keys }) => keys.meta === meta) as Lane;
    if (this.#world.postgres.state.voids.has(`${ledgerLane(prefix, lane.name)} ${number}`)) return 'void';
    return (this.#world.ledgerOf(lane)?.batch ?? 0n) >= BigInt(number) ? 'applied' : 'open';
  }

  #snapshot(lane: Lane): Promise<Snapshot> {
    return takeSnapshot(this.#world.server.redis, lane, this.#idsOf(lane));
  }

  #idsOf(lane: Lane): string[] {
    return [...this.#tables.keys()].filter((id) => this.#world.laneOf(id) === lane);
  }

  #expect(lane: Lane, look: Snapshot): void {
    const { isWhole, postgres } = this.#world;
    const ledger = this.#world.ledgerOf(lane);
    expectLane(look);
    this.#numbers.get(lane)?.look(look, ledger);
    for (const id of this.#idsOf(lane)) {
      const row = postgres.state.rows.get(id) ?? null;
      const table = this.#tables.get(id) as Table;
      expectRowFirst(look, id);
      if (!table.isJudged) continue;
      if (!isWhole) {
        expectCompared({ lane: look, ledger, id, row });
        continue;
      }
      expectOnce({ lane: look, ledger, id, row }, table.last);
      expectEntries({ lane: look, ledger, id, row }, table.last);
    }
  }

  async #ask(): Promise<void> {
    const [id, table] = this.#random.of([...this.#tables]);
    if (table.receipts.length === 0) return;
    const some = Array.from({ length: askedAtOnce }, () => this.#random.of(table.receipts));
    await expectReceipts(this.#world, id, table, some);
  }

  async isDrained(): Promise<boolean> {
    const states = await Promise.all(this.#world.lanes.all.map((lane) => this.#world.buffer.inspect(lane)));
    return states.every(({ dirty, sealed, waiting }) => dirty + sealed + waiting === 0);
  }

  async atRest(): Promise<void> {
    for (const [id, table] of this.#tables) await expectReceipts(this.#world, id, table, table.receipts);
    const rows = [...this.#world.postgres.state.rows];
    this.#world.tell(rows.map(([id, { name, note, touches }]) => `${id} ${name} ${note} ${touches}`).join());
  }
}
