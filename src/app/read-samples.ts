/** What is read of the stores whose hottest values are warmed. */
import type { Hottest } from '../cache/redis/hottest.js';
import { ReadSample } from '../client/reading/read-sample.js';
import type { Stores } from '../definitions/stores.js';
import type { Emit } from '../events.js';

/** By the store's name. */
export function sampleReads(
  stores: Stores,
  hottest: Pick<Hottest, 'add'>,
  emit: Emit,
): Map<string, ReadSample> {
  const samples = [...stores.computed.values()].flatMap(({ name, warm }): [string, ReadSample][] =>
    warm?.list === 'hottest'
      ? [[name, new ReadSample({ store: name, halfLifeMs: warm.halfLifeMs, hottest, emit })]]
      : [],
  );
  return new Map(samples);
}

export async function closeSamples(samples: readonly ReadSample[]): Promise<void> {
  await Promise.all(samples.map((sample) => sample.close()));
}
