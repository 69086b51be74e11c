/** An app's writes, each submission within a span. */

import { splitField } from '../../keys.js';
import type { Trace } from '../../trace.js';
import type { WriteQueue } from './write-queue.js';

/** What stores submit their writes to. */
export type Writes = Pick<WriteQueue, 'submit'>;

/**
 * The batch that carries a write is its lane's first one whose number is greater than the write's version.
 */
export function tracedWrites(writes: Writes, trace: Trace | undefined): Writes {
  if (trace === undefined) return writes;
  return {
    submit(lane, submitted, plan) {
      const [first] = submitted;
      const facts = {
        'forebay.lane': lane.name,
        'forebay.store': splitField(first?.field ?? '').store,
        'forebay.operation': first?.op ?? '',
        'forebay.writes': submitted.length,
      };
      return trace('forebay.write', facts, async (tell) => {
        const accepted = await writes.submit(lane, submitted, plan);
        tell({ 'forebay.version': String(accepted.version) });
        return accepted;
      });
    },
  };
}
