/** What a run has come to: operations, violations, and what was lost when Redis lost something. */
import type { Durability } from '../src/definitions/record.js';
import type { Violation } from './checker/violation.js';
import type { RoundResult } from './round.js';

export interface LossRow {
  readonly what: string;
  readonly durability: Durability;
  runs: number;
  acknowledged: number;
  lost: number;
}

export class Tally {
  rounds = 0;
  operations = 0;
  readonly outcomes = new Map<string, number>();
  readonly codes = new Map<string, number>();
  readonly violations: Violation[] = [];
  readonly losses = new Map<string, LossRow>();

  add(result: RoundResult): void {
    this.rounds += 1;
    this.operations += result.history.ops.length;
    this.violations.push(...result.violations);
    for (const op of result.history.ops) {
      count(this.outcomes, `${op.kind} ${op.outcome ?? 'no end'}`);
      if (op.code !== undefined) count(this.codes, op.code);
    }
    if (result.setback) this.#addLosses(result, result.setback.what, result.setback.at);
  }

  /** Of rows that are written once, which are there or not. */
  #addLosses({ history, plan }: RoundResult, what: string, at: number): void {
    const rows = new Map(
      history.ops.filter(({ process }) => process === 'driver').map(({ key, read }) => [key, read]),
    );
    const name =
      what === 'takeover' ? 'takeover by a replica that lags' : `power loss, appendfsync ${plan.fsync}`;
    const seen = new Set<string>();
    for (const { kind, key, outcome, end, durability = 'memory' } of history.ops) {
      if (kind !== 'put' || !key.includes('new-') || outcome !== 'ok' || (end ?? at) >= at) continue;
      const row = this.#row(name, durability);
      if (!seen.has(durability)) row.runs += 1;
      seen.add(durability);
      row.acknowledged += 1;
      if (rows.get(key) === null) row.lost += 1;
    }
  }

  #row(what: string, durability: Durability): LossRow {
    const name = `${what}/${durability}`;
    const row = this.losses.get(name) ?? { what, durability, runs: 0, acknowledged: 0, lost: 0 };
    this.losses.set(name, row);
    return row;
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
