/** What a caller is told whose write is accepted, but not as safe as it asked for. */
import type { Lane } from '../../buffer/lane.js';
import { ForebayError } from '../../errors.js';
import type { ConfirmedDurability } from './durable-route.js';
import type { WritePlan } from './write-options.js';

/** What Redis itself is to wait for; undefined: nothing. */
export function confirmedBy({ durability }: WritePlan): ConfirmedDurability | undefined {
  return durability === 'replicated' || durability === 'fsynced' ? durability : undefined;
}

export function durabilityNotMet(
  lane: Lane,
  version: bigint,
  durability: ConfirmedDurability,
  missing: string,
): ForebayError {
  return new ForebayError(
    'DURABILITY_NOT_MET',
    `The write is accepted, but not "${durability}": ${missing}. It must not be repeated for that.`,
    { context: { lane: lane.name, version, durability } },
  );
}
