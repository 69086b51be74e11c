/** Everything that is checked of a history: a pure function, in the time that sorting it takes. */
import { type History, type Loss, type Op, opsByKey } from '../history.js';
import { checkBounds } from './bounds.js';
import { checkCounter } from './counter-history.js';
import { checkReceipts } from './receipts.js';
import { checkRow } from './row-history.js';
import { checkUpdates } from './updates.js';
import type { Violation } from './violation.js';

export function checkHistory(history: History): Violation[] {
  const violations = checkBounds(history);
  for (const [key, ops] of opsByKey(history.ops)) violations.push(...checkKey(key, ops, history.losses));
  return violations;
}

function checkKey(key: string, ops: readonly Op[], losses: readonly Loss[]): Violation[] {
  const told = lossesTold(key, ops, losses);
  if (ops.some(({ kind }) => kind === 'add' || kind === 'count'))
    return [...told, ...checkCounter(key, ops, losses)];
  return [
    ...told,
    ...checkRow(key, ops, losses),
    ...checkUpdates(key, ops, losses),
    ...checkReceipts(key, ops),
    ...lastReads(key, ops),
  ];
}

/** A receipt that tells of a loss where Redis has lost nothing. */
function lossesTold(key: string, ops: readonly Op[], losses: readonly Loss[]): Violation[] {
  if (losses.length > 0) return [];
  return ops
    .filter(({ code }) => code === 'WRITE_LOST')
    .map((op) => ({ kind: 'loss told', key, message: 'WRITE_LOST, and nothing was lost', ops: [op] }));
}

/** With nothing under way, what is read is what the database has. */
function lastReads(key: string, ops: readonly Op[]): Violation[] {
  const row = ops.find(({ kind, process }) => kind === 'row' && process === 'driver');
  const lastWrite = Math.max(0, ...ops.map(({ kind, at, end }) => (isWrite(kind) ? (end ?? at) : 0)));
  if (row === undefined) return [];
  return ops
    .filter(
      ({ kind, at, outcome, client }) => kind === 'get' && outcome === 'ok' && client < 0 && at > lastWrite,
    )
    .filter(({ read }) => read !== row.read)
    .map((op) => ({
      kind: 'cache differs',
      key,
      message: `${op.read} is read, and the row is ${row.read}`,
      ops: [op, row],
    }));
}

function isWrite(kind: Op['kind']): boolean {
  return kind === 'put' || kind === 'delete' || kind === 'update';
}
