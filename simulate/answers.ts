/** What must be true right behind an answer, which no other step has followed. */
import { must } from './invariants.js';
import type { Answered } from './redis-under-test.js';
import type { Snapshot } from './snapshot.js';

export interface Found {
  /** By the key of its meta. */
  readonly lanes: ReadonlyMap<string, Snapshot>;
  /** What the ledger has of a batch of the lane with this key of its meta. */
  stateOf(meta: string, number: string): 'open' | 'applied' | 'void';
}

export function expectAnswer({ call, args, reply }: Answered, { lanes, stateOf }: Found): void {
  if (call === 'forebay_raise') expectRaised(args, reply as string[], lanes);
  if (call === 'forebay_claim') expectLeases(args, 3, reply as string[][], lanes);
  if (call === 'forebay_claim-counter') expectLeases(args, 3, (reply as string[][]).slice(2), lanes);
  if (call === 'forebay_ack' && reply === 1)
    expectState(stateOf(String(args[0]), String(args[7])), 'applied');
  if (call !== 'forebay_split' || (reply as string[])[0] !== 'split') return;
  const keyCount = Number(args[0]);
  expectState(stateOf(String(args[1]), String(args[keyCount + 2])), 'void');
}

/** A batch is dropped once it is applied, and gets another number once it is void. */
function expectState(state: string, wanted: 'applied' | 'void'): void {
  must(
    state === wanted,
    wanted === 'void' ? 'FB-VOID' : 'FB-ACK-NUMBER',
    `the batch is ${state}, not ${wanted}`,
  );
}

function expectRaised(
  [meta, floor]: readonly unknown[],
  [kind]: string[],
  lanes: ReadonlyMap<string, Snapshot>,
): void {
  const batch = lanes.get(String(meta))?.meta.batch ?? '0';
  must(
    kind !== 'even' || BigInt(batch) >= BigInt(String(floor)),
    'FB-RAISE',
    `ledger ${floor}, lane ${batch}`,
  );
}

/** Whoever is told that it has a lease has the one that stands in the entry. */
function expectLeases(
  [keyCount, ...args]: readonly unknown[],
  before: number,
  replies: readonly string[][],
  lanes: ReadonlyMap<string, Snapshot>,
): void {
  const count = Number(keyCount);
  const token = String(args[count + 1]);
  for (const [i, key] of args.slice(before, count).entries()) {
    if (replies[i]?.[0] !== 'lease') continue;
    const field = String(key).slice(String(key).indexOf('}:') + 2);
    const entry = [...lanes.values()]
      .map(({ entries }) => entries.get(field))
      .find((one) => one !== undefined);
    must(
      (entry ?? '').replace(';w', '') === `?${token}`,
      'FC-ONE-LEASE',
      `${token} got a lease, ${entry} stands`,
    );
  }
}
