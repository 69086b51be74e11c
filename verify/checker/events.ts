/** The order in which a key's history is gone through: what begins and ends, and what Redis forgot meanwhile. */
import type { Loss, Op } from '../history.js';

export type Step =
  | { readonly t: number; readonly kind: 'invoke' | 'end'; readonly op: Op }
  | { readonly t: number; readonly kind: 'loss from' | 'loss at' | 'loss until'; readonly loss: Loss };

/** What begins at the moment in which another ends is taken for concurrent with it. */
const ranks: Readonly<Record<Step['kind'], number>> = {
  invoke: 0,
  'loss from': 1,
  'loss at': 2,
  'loss until': 3,
  end: 4,
};

export function stepsOf(ops: readonly Op[], losses: readonly Loss[]): Step[] {
  const steps: Step[] = [];
  for (const op of ops) {
    steps.push({ t: op.at, kind: 'invoke', op });
    if (op.end !== undefined) steps.push({ t: op.end, kind: 'end', op });
  }
  for (const loss of losses) {
    steps.push({ t: loss.from, kind: 'loss from', loss });
    steps.push({ t: loss.at, kind: 'loss at', loss });
    steps.push({ t: loss.until, kind: 'loss until', loss });
  }
  return steps.sort((a, b) => a.t - b.t || ranks[a.kind] - ranks[b.kind]);
}
