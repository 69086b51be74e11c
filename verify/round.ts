/** A round: work under faults, then all is healed and flushed, and its history is checked together with the rows. */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Durability } from '../src/definitions/record.js';
import { checkHistory } from './checker/check.js';
import type { Violation } from './checker/violation.js';
import { carryOut } from './faults/carry-out.js';
import { planRound, type RoundPlan } from './faults/plan.js';
import { type History, type Loss, nowUs, type Op } from './history.js';
import { readOps } from './history-files.js';
import { idPrefix, splitKey } from './keys.js';
import type { Work } from './messages.js';
import type { Place } from './place/place.js';
import { Random } from './random.js';
import type { Recovery } from './recovery.js';
import { tables } from './stores.js';

export interface RoundResult {
  readonly plan: RoundPlan;
  readonly history: History;
  readonly violations: readonly Violation[];
  /** Redis went back, or lost power behind what is safe. */
  readonly setback: Omit<Loss, 'until'> | undefined;
}

export interface RoundParts {
  readonly place: Place;
  readonly recovery: Recovery;
  readonly seed: number;
  /** fsync can be asked for. */
  readonly canFsync: boolean;
}

const clients = 4;
const flushMaxMs = 120_000;

export async function runRound(round: number, parts: RoundParts): Promise<RoundResult> {
  const random = new Random(parts.seed * 1_000_003 + round);
  const plan = planRound(round, random);
  const folder = path.join(parts.place.folder, `round-${round}`);
  await mkdir(folder, { recursive: true });
  await prepare(plan, parts.place);
  const work = workOf(round, plan, folder, parts);
  const setbacks = await underFaults(plan, work, random, parts);
  const undrained = await drain(parts.place);
  const until = nowUs();
  const [setback] = setbacks;
  const losses = plan.isLossy ? setbacks.map((loss): Loss => ({ ...loss, until })) : [];
  const ops = await readAll(round, folder, parts.place);
  const ends = new Map([...parts.place.apps].flatMap((app) => [...app.ends]));
  const history = { ops, losses, ends, endedAt: nowUs() };
  parts.recovery.endRound();
  const violations = [...undrained, ...checkHistory(history)];
  if (violations.length === 0) await rm(folder, { recursive: true });
  return { plan, history, violations, setback };
}

async function prepare({ kind, fsync }: RoundPlan, { redis, apps, workers }: Place): Promise<void> {
  for (const slot of [...apps, ...workers]) await slot.untilReady();
  await redis.shrinkFile();
  await redis.setFsync(fsync);
  if (kind === 'takeover') await redis.startReplica();
}

function workOf(round: number, plan: RoundPlan, folder: string, parts: RoundParts): Work {
  const plain: readonly (readonly [Durability, number])[] = [
    ['memory', 90],
    ['database', 10],
  ];
  const byKind: Readonly<Record<RoundPlan['kind'], typeof plain>> = {
    everysec: plain,
    always: plain,
    kills: plain,
    'power loss': [
      ['memory', 80],
      ['database', 20],
    ],
    takeover: [
      ['memory', 50],
      ['replicated', 35],
      ['database', 15],
    ],
  };
  const fsynced: typeof plain = parts.canFsync && plan.kind !== 'takeover' ? [['fsynced', 20]] : [];
  const durabilities = [...byKind[plan.kind], ...fsynced];
  return { round, seed: parts.seed + round, folder, clients, isLossy: plan.isLossy, durabilities };
}

async function underFaults(plan: RoundPlan, work: Work, random: Random, { place, recovery }: RoundParts) {
  const losses: Omit<Loss, 'until'>[] = [];
  const isAlone = plan.kind === 'kills';
  const onLoss = (loss: Omit<Loss, 'until'>): void => void losses.push(loss);
  const parts = { place, recovery, random, isAlone, onLoss };
  const beginWork = new WorkForNewcomers(place, work);
  const startedAt = Date.now();
  const faults = plan.faults
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(async (fault) => {
      await sleep(Math.max(0, startedAt + fault.atMs - Date.now()));
      await carryOut(fault, parts);
    });
  if (plan.kind === 'takeover') faults.push(place.redis.slowLink(random.integer(0, 150), plan.workMs));
  await Promise.all(faults);
  await sleep(Math.max(0, startedAt + plan.workMs - Date.now()));
  await beginWork.end();
  if (plan.kind === 'takeover') await place.redis.stopReplica();
  return losses;
}

/** An app that is started anew begins to work once it is ready. */
class WorkForNewcomers {
  readonly #place: Place;
  readonly #work: Work;
  readonly #told = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  constructor(place: Place, work: Work) {
    this.#place = place;
    this.#work = work;
    this.#look();
    this.#timer = setInterval(() => this.#look(), 50);
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    for (const app of this.#place.apps) {
      await app.untilReady();
      this.#look();
    }
  }

  #look(): void {
    for (const app of this.#place.apps) {
      if (!app.isReady || this.#told.has(app.processName)) continue;
      this.#told.add(app.processName);
      app.tell({ kind: 'work', work: this.#work });
    }
  }
}

/** With all healed: the calls under way end, then everything is flushed. */
async function drain({ apps, workers }: Place): Promise<Violation[]> {
  for (const worker of workers) await worker.untilReady();
  const hung: Violation[] = [];
  await Promise.all(
    apps.map(async (app) => {
      // What does not come back is found in the history.
      await app.ask({ kind: 'rest' }, 'rested').catch(() => undefined);
    }),
  );
  const deadline = Date.now() + flushMaxMs;
  for (const app of apps) {
    const message = { kind: 'flush', timeoutMs: Math.max(1_000, deadline - Date.now()) } as const;
    let answer = await app.ask(message, 'flushed');
    while (answer.kind === 'flushed' && answer.error !== undefined && Date.now() < deadline)
      answer = await app.ask(message, 'flushed');
    if (answer.kind === 'flushed' && answer.error !== undefined)
      hung.push({ kind: 'not drained', key: '', message: answer.error, ops: [] });
  }
  return hung;
}

/** What the processes have recorded, a last look of each app at every row, and the rows themselves. */
async function readAll(round: number, folder: string, { apps, postgres }: Place): Promise<Op[]> {
  const known = await readOps(folder);
  const keys = [...new Set(known.map(({ key }) => key))];
  const looked = keys.filter((key) => !key.includes('new-'));
  await Promise.all(apps.map((app) => app.ask({ kind: 'read', keys: looked }, 'read')));
  const ops = await readOps(folder);
  const rows = await readRows(round, postgres);
  for (const key of keys) {
    const at = nowUs();
    const absent = splitKey(key).store === 'counts' ? 0 : null;
    const read = (rows.get(key) ?? absent) as string | number | null;
    ops.push({ process: 'driver', client: 0, kind: 'row', key, at, end: at, outcome: 'ok', read });
  }
  return ops;
}

async function readRows(round: number, postgres: Place['postgres']): Promise<Map<string, unknown>> {
  const rows = new Map<string, unknown>();
  for (const [store, { table, column }] of Object.entries(tables)) {
    const found = await postgres.query(`SELECT id, ${column} FROM ${table} WHERE id >= $1 AND id < $2`, [
      idPrefix(round),
      `${idPrefix(round).slice(0, -1)}.`,
    ]);
    for (const [id, value] of found) rows.set(`${store}:${id}`, value);
  }
  return rows;
}
